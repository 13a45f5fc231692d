// The desk as a whole, with the real stores: what happens to it when the conversation, the connection or the person changes.
import 'vue'
import 'vue-i18n'
import { readFileSync } from 'node:fs'

import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Staff } from '../src/types'
import { openBrowser, rest } from './browser'
import { at, conversation, message } from './build'

vi.mock('element-plus', () => ({ ElMessage: () => undefined, ElMessageBox: {} }))

const [A, B, C] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)] as const
const ME = { id: 'me', name: 'Me', role: 'agent', email: 'me@desk.example' } as Staff
const words = new Map<string, string>()

/** A has B merged into it; C stands alone. */
function answers(path: string): unknown {
  if (path.endsWith('/reply') || path.endsWith('/note') || path === 'files') return new Promise(() => undefined)
  const messages = /^conversations\/(\w+)\/messages\?after_seq=(\d+)/.exec(path)
  if (messages) {
    const id = messages[1]!
    return { messages: Number(messages[2]) ? [] : [message(1, { id, conversation_id: id, created_at: at(id === A ? 2 : 1), text: words.get(id) ?? id })] }
  }
  if (path === `conversations/${A}/merged`) return { threads: [{ conversation: { id: B, channel: 'email' }, merged_by: 'Me', undo_until: null }] }
  if (path.endsWith('/merged')) return { threads: [] }
  const one = /^conversations\/(\w+)$/.exec(path)
  if (one) return { conversation: conversation(one[1]!, { last_seq: 7 }), contact: null, customer: null, orders: [], tickets: [], past_conversations: [], episodes: [], agents: [] }
  if (path.startsWith('conversations?')) return { conversations: [conversation(A, { last_seq: 7 }), conversation(C)], cursor: null }
  return {}
}

const { sockets, goTo } = openBrowser(`#/mine/${A}`, answers)
type Stores = typeof import('../src/stores/desk') & typeof import('../src/stores/threads') & typeof import('../src/stores/session') & typeof import('../src/stores/panels')
let stores: Stores

beforeAll(async () => {
  stores = { ...(await import('../src/stores/session')), ...(await import('../src/stores/desk')), ...(await import('../src/stores/threads')), ...(await import('../src/stores/panels')) }
})

async function signIn(staff: Staff = ME): Promise<void> {
  stores.session.staff.value = staff
  await stores.desk.start()
  await rest()
}

async function signOut(): Promise<void> {
  stores.desk.stop()
  stores.session.staff.value = null
  await rest()
}

beforeEach(async () => {
  if (stores.session.staff.value) await signOut()
  words.clear()
  stores.desk.drafts.clear()
  stores.desk.begun.clear()
  await goTo(`#/mine/${A}`)
  await signIn()
})

const shown = () => stores.withMerged(stores.transcripts.get(A)?.messages ?? []).map((one) => one.text)

describe('a merged conversation', () => {
  it('keeps its messages when the socket opens, and after a gap', async () => {
    expect(shown()).toEqual([B, A])
    sockets.at(-1)!.opens()
    await rest()
    expect(shown()).toEqual([B, A])
  })

  it('is read again after signing in again', async () => {
    await signOut()
    expect([stores.threads.value, shown()]).toEqual([[], []])
    await signIn()
    expect(shown()).toEqual([B, A])
  })

  it('shows nothing any more of what was erased from it', async () => {
    words.set(B, 'erased')
    sockets.at(-1)!.opens()
    await rest()
    sockets.at(-1)!.hears({ type: 'erased', contact_id: `contact-${A}` })
    await rest()
    expect(shown()).toEqual(['erased', A])
  })
})

describe('what is asked about a conversation', () => {
  it('is not asked any more once another conversation is open', async () => {
    stores.panels.handOn = 'transfer'
    stores.panels.macro = { id: 'm' } as never
    await goTo(`#/mine/${C}`)
    expect([stores.panels.handOn, stores.panels.macro]).toEqual([null, null])
  })

  it('stands in parts of the pane that are made anew for each conversation', () => {
    const pane = readFileSync(new URL('../src/components/ConversationPane.vue', import.meta.url), 'utf8')
    const parts = pane.match(/<[A-Z]\w+ [^>]*:conversation="conversation"[^>]*>/g) ?? []
    expect(parts.length).toBeGreaterThan(4)
    for (const part of parts) expect(part).toMatch(/ :key="[^"]*conversation\.id/)
  })
})

describe('a draft', () => {
  it('that a help card began notes how far the conversation had come', () => {
    stores.assist.insert(A, { id: null, key: 1, text: 'Three days.', citations: [], internal: false })
    expect(stores.desk.begun.get(`${A}:reply`)).toBe(7)
  })

  it('made of what was not sent notes what its writer had read', async () => {
    void stores.transcripts.send(A, 'reply', 'on its way', [], { read_seq: 5 })
    void stores.transcripts.send(A, 'note', 'a note', [])
    stores.desk.stop()
    expect([stores.desk.drafts.get(`${A}:reply`), stores.desk.begun.get(`${A}:reply`), stores.desk.begun.get(`${A}:note`)]).toEqual(['on its way', 5, 7])
  })
})

describe('the next person at the same console', () => {
  const file = () => new File(['x'], 'bill.txt')
  beforeEach(() => {
    vi.stubGlobal('XMLHttpRequest', class {
      upload = {}
      open = () => undefined
      setRequestHeader = () => undefined
      send = () => undefined
      abort = () => undefined
    })
    stores.uploads.add(A, [file()])
    stores.assist.insert(A, { id: 'card', key: 1, text: 'Three days.', citations: [], internal: false })
    stores.assist.originals.set(A, { text: '三天。', language: 'zh' })
  })
  const left = () => [stores.uploads.of(A).length, stores.assist.used.has(A), stores.assist.originals.has(A), stores.desk.drafts.has(`${A}:reply`)]

  it('finds nothing of what the one before was writing', async () => {
    await signOut()
    await signIn({ ...ME, id: 'other' })
    expect(left()).toEqual([0, false, false, false])
  })

  it('has everything back where it is the same person', async () => {
    await signOut()
    await signIn()
    expect(left()).toEqual([1, true, true, true])
  })
})
