// A browser as small as the stores need it: an address, sockets that the test opens, and answers of the server by path.
import { vi } from 'vitest'

import { settled } from './build'

type Listener = (event: unknown) => void

export class FakeSocket {
  static OPEN = 1
  readyState = 1
  onopen: (() => void) | null = null
  onmessage: ((frame: { data: string }) => void) | null = null
  onclose: ((closed: { code: number }) => void) | null = null
  send(): void {}
  close(): void {}

  opens(): void {
    this.onopen?.()
    this.hears({ type: 'ready' })
  }

  hears(event: object): void {
    this.onmessage?.({ data: JSON.stringify(event) })
  }
}

/** Puts the browser in place; what imports stores is imported after it. */
export function openBrowser(hash: string, answers: (path: string) => unknown) {
  const sockets: FakeSocket[] = []
  const listeners = new Map<string, Listener[]>()
  const addEventListener = (name: string, listener: Listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener])
  const location = { origin: 'http://desk', protocol: 'http:', host: 'desk', hash }
  const media = { matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }
  vi.stubGlobal('WebSocket', class extends FakeSocket {
    constructor() {
      super()
      sockets.push(this)
    }
  })
  vi.stubGlobal('window', { location, addEventListener, removeEventListener: () => undefined, setInterval: () => 0, setTimeout: () => 0, clearTimeout: () => undefined, matchMedia: () => media })
  vi.stubGlobal('document', { createElement: () => ({}), addEventListener, removeEventListener: () => undefined, visibilityState: 'visible', hasFocus: () => true, title: '', documentElement: { lang: '', classList: { toggle: () => undefined } } })
  vi.stubGlobal('navigator', { language: 'en', onLine: true })
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })
  vi.stubGlobal('fetch', async (address: string) => ({ ok: true, status: 200, json: async () => answers(address.replace('/staff/api/', '')) }))

  /** Somebody follows a link, or the Back button does. */
  async function goTo(next: string): Promise<void> {
    location.hash = next
    for (const listener of listeners.get('hashchange') ?? []) listener({})
    await rest()
  }

  return { sockets, goTo }
}

/** Waits until every answer of the server has arrived. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await settled()
    await new Promise((go) => setTimeout(go, 0))
  }
}
