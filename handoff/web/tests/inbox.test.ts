import { describe, expect, it } from 'vitest'

import type { ConversationDetail, ConversationPage, ListedConversation } from '../src/api'
import { createInbox } from '../src/stores/inbox'
import type { View } from '../src/types'
import { at, conversation, message, settled } from './build'

function desk(pages: Partial<Record<View, ListedConversation[]>>) {
  const state = { pages, hold: null as Promise<void> | null }
  const inbox = createInbox({
    async conversations(view: View): Promise<ConversationPage> {
      const page = { conversations: state.pages[view] ?? [], cursor: null }
      if (state.hold) await state.hold
      return page
    },
    async conversation(id: string): Promise<ConversationDetail> {
      return { conversation: conversation(id, { status: 'queued', agent_id: null, queued_at: at(5) }) } as ConversationDetail
    },
  })
  inbox.myId.value = 'me'
  return { inbox, state }
}

describe('the inbox', () => {
  it('serves the queue by priority, then by who waited longest', async () => {
    const queued = (id: string, second: number, priority = 0) => conversation(id, { status: 'queued', agent_id: null, queued_at: at(second), priority })
    const { inbox } = desk({ queued: [queued('late', 9), queued('early', 1), queued('lost', 8, 1)] })
    await inbox.refresh('queued')
    expect(inbox.queue.value.map((one) => one.id)).toEqual(['lost', 'early', 'late'])
  })

  it('moves a conversation between views as its state changes', async () => {
    const { inbox } = desk({ queued: [conversation('a', { status: 'queued', agent_id: null, queued_at: at(1) })] })
    await inbox.refresh('queued')
    inbox.apply({ type: 'conversation', conversation: conversation('a', { updated_at: at(4) }) }, null)
    expect([inbox.queue.value.length, inbox.mine.value.map((one) => one.id)]).toEqual([0, ['a']])
  })

  it('never goes back to an older state', async () => {
    const { inbox } = desk({ mine: [conversation('a', { updated_at: at(1) })] })
    inbox.apply({ type: 'conversation', conversation: conversation('a', { status: 'resolved', updated_at: at(6), last_seq: 4 }) }, null)
    await inbox.refresh('mine')
    expect(inbox.mine.value).toEqual([])
    expect(inbox.known.get('a')?.status).toBe('resolved')
  })

  it('keeps what events brought while a list was being read', async () => {
    const { inbox, state } = desk({ queued: [] })
    let go = () => {}
    state.hold = new Promise((resolve) => (go = resolve))
    const reading = inbox.refresh('queued')
    inbox.apply({ type: 'conversation', conversation: conversation('new', { status: 'queued', agent_id: null, queued_at: at(3) }) }, null)
    go()
    await reading
    expect(inbox.queue.value.map((one) => one.id)).toEqual(['new'])
  })

  it('drops what a fresh list no longer has', async () => {
    const { inbox, state } = desk({ mine: [conversation('a'), conversation('b')] })
    await inbox.refresh('mine')
    state.pages = { mine: [conversation('b')] }
    await inbox.refresh('mine')
    expect(inbox.mine.value.map((one) => one.id)).toEqual(['b'])
  })

  it('does not count a message again that a reading has counted before its event came', async () => {
    const { inbox } = desk({ mine: [{ ...conversation('a', { last_seq: 5 }), unread: 1 }] })
    await inbox.refresh('mine')
    const heard = (seq: number) => inbox.apply({ type: 'message', conversation_id: 'a', message: message(seq, { conversation_id: 'a' }) }, null)
    heard(5)
    expect(inbox.known.get('a')?.unread).toBe(1)
    heard(6)
    expect(inbox.known.get('a')?.unread).toBe(2)
  })

  it('counts each unread message once, and none of the conversation being read', async () => {
    const { inbox } = desk({ mine: [{ ...conversation('a'), unread: 0 }] })
    await inbox.refresh('mine')
    const event = { type: 'message', conversation_id: 'a', message: message(2) } as const
    inbox.apply(event, null)
    inbox.apply(event, null)
    expect(inbox.known.get('a')?.unread).toBe(1)
    inbox.seen('a')
    inbox.apply({ type: 'message', conversation_id: 'a', message: message(3, { text: 'and then' }) }, 'a')
    expect([inbox.known.get('a')?.unread, inbox.known.get('a')?.preview]).toEqual([0, 'and then'])
  })

  it('does not preview private notes', async () => {
    const { inbox } = desk({ mine: [{ ...conversation('a', { preview: 'hi' }), unread: 0 }] })
    await inbox.refresh('mine')
    inbox.apply({ type: 'message', conversation_id: 'a', message: message(2, { author: 'agent', kind: 'note', text: 'careful' }) }, null)
    expect(inbox.known.get('a')?.preview).toBe('hi')
  })

  it('reads a conversation that only a message told about', async () => {
    const { inbox } = desk({})
    inbox.apply({ type: 'message', conversation_id: 'unknown', message: message(1) }, null)
    await settled()
    expect(inbox.queue.value.map((one) => one.id)).toEqual(['unknown'])
  })

  it('follows how far our words came to the contact, never back', () => {
    const { inbox } = desk({ mine: [conversation('a', { last_seq: 4 })] })
    inbox.put(conversation('a', { last_seq: 4 }))
    const received = (seq: number) => inbox.apply({ type: 'received', conversation_id: 'a', seq, by: 'contact', at: at(seq) }, null)
    received(3)
    received(2)
    expect([inbox.known.get('a')?.contact_received_seq, inbox.known.get('a')?.contact_read_seq ?? 0]).toEqual([3, 0])
    inbox.change(conversation('a', { last_seq: 5, updated_at: at(9), contact_received_seq: 1 })) // was on its way before
    expect(inbox.known.get('a')?.contact_received_seq).toBe(3)
  })

  it('follows how far the contact has read, never back, and its own reading on another device', async () => {
    const { inbox } = desk({ mine: [{ ...conversation('a', { last_seq: 4 }), unread: 2 }] })
    await inbox.refresh('mine')
    const read = (by: string, seq: number) => inbox.apply({ type: 'read', conversation_id: 'a', seq, by, at: at(seq) }, null)
    read('contact', 3)
    read('contact', 2)
    read('sam', 4)
    expect([inbox.known.get('a')?.contact_read_seq, inbox.known.get('a')?.contact_read_at, inbox.known.get('a')?.unread]).toEqual([3, at(3), 2])
    inbox.change(conversation('a', { last_seq: 5, updated_at: at(9), contact_read_seq: 1 })) // was on its way before
    expect(inbox.known.get('a')?.contact_read_seq).toBe(3)
    read('me', 5)
    expect(inbox.known.get('a')?.unread).toBe(0)
  })
})

/** A server with a queue that is read in pages of two. */
function longQueue(ids: string[]) {
  const row = (id: string, second: number) => conversation(id, { status: 'queued', agent_id: null, queued_at: at(second), rank_at: at(second), revision: 1 })
  const state = { rows: ids.map((id, place) => row(id, place)), read: [] as (string | null)[], fails: false }
  const inbox = createInbox({
    async conversations(_view: View, cursor: string | null = null): Promise<ConversationPage> {
      state.read.push(cursor)
      if (state.fails) throw new Error('away')
      const after = cursor === null ? state.rows : state.rows.filter((one) => one.rank_at! > cursor)
      const page = after.slice(0, 2)
      return { conversations: page, cursor: after.length > 2 ? page[1]!.rank_at! : null }
    },
    async conversation(id: string): Promise<ConversationDetail> {
      return { conversation: row(id, 0) } as ConversationDetail
    },
  })
  inbox.myId.value = 'me'
  return { inbox, state, row, shown: () => inbox.queue.value.map((one) => one.id) }
}

describe('a long list', () => {
  it('is read page by page, each conversation once', async () => {
    const { inbox, shown } = longQueue(['a', 'b', 'c', 'd', 'e'])
    await inbox.refresh('queued')
    expect([shown(), inbox.whole('queued')]).toEqual([['a', 'b'], false])
    await inbox.more('queued')
    await inbox.more('queued')
    expect([shown(), inbox.whole('queued')]).toEqual([['a', 'b', 'c', 'd', 'e'], true])
  })

  it('shows what events bring in its place, and what is further back with its page', async () => {
    const { inbox, state, row, shown } = longQueue(['a', 'b', 'c', 'd'])
    await inbox.refresh('queued')
    const last = row('z', 9)
    const urgent = { ...row('u', 0), rank_at: at(0.5) }
    inbox.apply({ type: 'conversation', conversation: last }, null)
    inbox.apply({ type: 'conversation', conversation: urgent }, null)
    expect(shown()).toEqual(['a', 'u', 'b'])
    state.rows = [state.rows[0]!, urgent, ...state.rows.slice(1), last]
    await inbox.more('queued')
    expect(shown()).toEqual(['a', 'u', 'b', 'c', 'd'])
    await inbox.more('queued')
    expect(shown()).toEqual(['a', 'u', 'b', 'c', 'd', 'z'])
  })

  it('reads as many pages again as it shows, and begins anew where the view is opened', async () => {
    const { inbox, state, shown } = longQueue(['a', 'b', 'c', 'd', 'e'])
    await inbox.refresh('queued')
    await inbox.more('queued')
    state.rows = state.rows.slice(1)
    await inbox.refresh('queued')
    expect(shown()).toEqual(['b', 'c', 'd', 'e'])
    inbox.show('queued')
    await settled()
    expect(shown()).toEqual(['b', 'c'])
  })

  it('keeps what it shows when the next page cannot be read', async () => {
    const { inbox, state, shown } = longQueue(['a', 'b', 'c'])
    await inbox.refresh('queued')
    state.fails = true
    await inbox.more('queued')
    expect([shown(), inbox.lists.get('queued')?.failed]).toEqual([['a', 'b'], 'Error: away'])
    state.fails = false
    await inbox.more('queued')
    expect([shown(), inbox.lists.get('queued')?.failed]).toEqual([['a', 'b', 'c'], null])
  })

  it('comes in the order of the saved filter', async () => {
    const view = `filter:${'f'.repeat(32)}` as View
    const rows = [conversation('old', { updated_at: at(1) }), conversation('new', { updated_at: at(5) })]
    const inbox = createInbox({ conversations: async () => ({ conversations: rows, cursor: null }), conversation: async () => ({}) as ConversationDetail }, () => 'oldest')
    inbox.view.value = view
    await inbox.refresh(view)
    expect(inbox.rows.value.map((one) => one.id)).toEqual(['old', 'new'])
  })
})
