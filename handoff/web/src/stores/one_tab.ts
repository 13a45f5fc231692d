// One of several open tabs speaks for all: without it two tabs would ring twice.
// Each tab that hears of an event says so on a channel and waits a moment; the one with the smallest name rings, unless
// somebody looks at what it is about, and a tab that comes late is told that it has been rung for already.

export interface Line {
  post(message: Said): void
  listen(hear: (message: Said) => void): void
}
export type Said = { type: 'heard'; key: string; tab: string; watched: boolean; focused: boolean } | { type: 'done'; key: string }
export interface Verdict { ring: boolean; watched: boolean; focused: boolean }

const WAIT_MS = 120
const KEPT = 200

export function createOneTab(line: Line, tab: string, wait: () => Promise<void> = () => new Promise((go) => setTimeout(go, WAIT_MS))) {
  const heard = new Map<string, Extract<Said, { type: 'heard' }>[]>()
  const done = new Set<string>()

  line.listen((message) => {
    if (message.type === 'done') return remember(message.key)
    if (done.has(message.key)) return line.post({ type: 'done', key: message.key })
    heard.set(message.key, [...(heard.get(message.key) ?? []), message])
  })

  function remember(key: string): void {
    done.add(key)
    heard.delete(key)
    if (done.size > KEPT) done.delete(done.values().next().value ?? '')
  }

  /** Whether this tab rings for the event `key`. `watched`: this tab shows what it is about; `focused`: somebody is in this tab. */
  async function decide(key: string, watched: boolean, focused: boolean): Promise<Verdict> {
    if (done.has(key)) return { ring: false, watched, focused }
    const mine = { type: 'heard', key, tab, watched, focused } as const
    line.post(mine)
    await wait()
    const others = heard.get(key) ?? []
    const late = done.has(key)
    remember(key)
    const verdict = { watched: watched || others.some((one) => one.watched), focused: focused || others.some((one) => one.focused) }
    return { ...verdict, ring: !late && !verdict.watched && others.every((one) => tab < one.tab) }
  }

  return { decide }
}

/** The channel of this browser's tabs, or none where the browser has no such thing: then every tab is alone. */
export function browserLine(name: string): Line {
  if (typeof BroadcastChannel === 'undefined') return { post: () => undefined, listen: () => undefined }
  const channel = new BroadcastChannel(name)
  return {
    post: (message) => channel.postMessage(message),
    listen: (hear) => {
      channel.onmessage = (event: MessageEvent<Said>) => hear(event.data)
    },
  }
}
