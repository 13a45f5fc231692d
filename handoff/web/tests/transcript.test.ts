import { describe, expect, it } from 'vitest'

import { ApiError, type Outgoing } from '../src/api'
import { createTranscripts, mergeMessages, resumePoint } from '../src/stores/transcript'
import type { Message } from '../src/types'
import { message, settled } from './build'

const ME = { id: 'me', name: 'Me' }
const PAGE = 2

/** A server that stores what is sent once per client_msg_id and can be cut off. */
function server(stored: Message[] = []) {
  const sent = new Map<string, Message>()
  const reads: number[] = []
  const state = { offline: false, stored, reads, hold: null as Promise<void> | null }
  async function say(_: string, outgoing: Outgoing, kind: 'text' | 'note') {
    if (state.hold) await state.hold
    if (state.offline) throw new ApiError(0, 'offline', '')
    const known = sent.get(outgoing.client_msg_id)
    if (known) return { message: known }
    const said = message(state.stored.length + 1, { author: 'agent', author_id: 'me', author_name: 'Me', kind, text: outgoing.text })
    sent.set(outgoing.client_msg_id, said)
    state.stored.push(said)
    return { message: said }
  }
  const api = {
    async messages(_: string, afterSeq: number) {
      reads.push(afterSeq)
      if (state.offline) throw new ApiError(0, 'offline', '')
      return { messages: state.stored.filter((one) => one.seq > afterSeq).slice(0, PAGE) }
    },
    reply: (id: string, outgoing: Outgoing) => say(id, outgoing, 'text'),
    note: (id: string, outgoing: Outgoing) => say(id, outgoing, 'note'),
  }
  return { api, state }
}

const texts = (messages: readonly Message[] | undefined) => (messages ?? []).map((one) => one.text)

describe('merging', () => {
  it('keeps one message per seq, in order, and takes the newer form', () => {
    const merged = mergeMessages([message(1), message(3)], [message(2), message(3, { delivery_failed: true })])
    expect(merged.map((one) => [one.seq, one.delivery_failed])).toEqual([[1, false], [2, false], [3, true]])
  })

  it('resumes before the first gap', () => {
    expect(resumePoint([])).toBe(0)
    expect(resumePoint([message(1), message(2), message(5)])).toBe(2)
    expect(resumePoint([message(4)])).toBe(0)
  })
})

describe('a transcript', () => {
  it('reads page after page until nothing is left', async () => {
    const { api } = server([1, 2, 3, 4, 5].map((seq) => message(seq)))
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    await transcripts.read('c1')
    expect(transcripts.get('c1')?.messages.map((one) => one.seq)).toEqual([1, 2, 3, 4, 5])
    expect(transcripts.get('c1')?.loaded).toBe(true)
  })

  it('reads what is missing when a live message leaves a gap', async () => {
    const { api, state } = server([message(1)])
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    await transcripts.read('c1')
    state.stored.push(message(2), message(3))
    transcripts.apply({ type: 'message', conversation_id: 'c1', message: message(3) }, ME)
    await settled()
    expect(texts(transcripts.get('c1')?.messages)).toEqual(['text 1', 'text 2', 'text 3'])
  })

  it('shows a message at once and never twice when the live event is faster than the answer', async () => {
    const { api, state } = server([message(1)])
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    await transcripts.read('c1')
    let go = () => {}
    state.hold = new Promise((resolve) => (go = resolve))
    const sending = transcripts.send('c1', 'reply', 'hello', [])
    expect(transcripts.get('c1')?.pending.map((one) => [one.text, one.echoed])).toEqual([['hello', false]])
    transcripts.apply({ type: 'message', conversation_id: 'c1', message: message(2, { author: 'agent', author_id: 'me', text: 'hello' }) }, ME)
    expect(transcripts.get('c1')?.pending.map((one) => one.echoed)).toEqual([true])
    go()
    await sending
    expect(transcripts.get('c1')?.pending).toEqual([])
    expect(texts(transcripts.get('c1')?.messages)).toEqual(['text 1', 'hello'])
  })

  it('shows a message once whose answer was lost with the network, and confirms it later', async () => {
    const { api, state } = server([message(1)])
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    await transcripts.read('c1')
    let go = () => {}
    state.hold = new Promise((resolve) => (go = resolve))
    const sending = transcripts.send('c1', 'reply', 'hello', [])
    transcripts.apply({ type: 'message', conversation_id: 'c1', message: message(2, { author: 'agent', author_id: 'me', text: 'hello' }) }, ME)
    state.offline = true
    go()
    await sending
    expect(transcripts.get('c1')?.pending.map((one) => [one.state, one.echoed])).toEqual([['failed', true]])
    state.offline = false
    transcripts.resume('c1')
    await settled()
    expect(transcripts.get('c1')?.pending).toEqual([])
  })

  it('does not take a colleague’s message for ours', async () => {
    const { api, state } = server()
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    let go = () => {}
    state.hold = new Promise((resolve) => (go = resolve))
    const sending = transcripts.send('c1', 'reply', 'ok', [])
    transcripts.apply({ type: 'message', conversation_id: 'c1', message: message(1, { author: 'agent', author_id: 'sam', text: 'ok' }) }, ME)
    expect(transcripts.get('c1')?.pending.map((one) => one.echoed)).toEqual([false])
    go()
    await sending
  })

  it('sends again under the same id after a lost connection, so nothing is said twice', async () => {
    const { api, state } = server()
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    state.offline = true
    await transcripts.send('c1', 'reply', 'are you there', [])
    expect(transcripts.get('c1')?.pending.map((one) => [one.state, one.offline])).toEqual([['failed', true]])
    state.offline = false
    transcripts.resume('c1')
    await settled()
    transcripts.resume('c1')
    await settled()
    expect(transcripts.get('c1')?.pending).toEqual([])
    expect(state.stored.map((one) => one.text)).toEqual(['are you there'])
    expect(texts(transcripts.get('c1')?.messages)).toEqual(['are you there'])
  })

  it('keeps a refused message with the server’s words and does not send it by itself', async () => {
    const { api } = server()
    const refused = { ...api, reply: () => Promise.reject(new ApiError(403, 'not_assigned', 'Sam has it')) }
    const transcripts = createTranscripts(refused)
    transcripts.open('c1')
    await transcripts.send('c1', 'reply', 'hello', [])
    transcripts.resume('c1')
    await settled()
    expect(transcripts.get('c1')?.pending.map((one) => [one.state, one.error])).toEqual([['failed', 'Sam has it']])
  })

  it('after a gap forgets conversations that are not open, so they are read afresh', async () => {
    const { api, state } = server([message(1)])
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    transcripts.open('c2')
    await transcripts.read('c1')
    await transcripts.read('c2')
    state.stored.push(message(2))
    transcripts.resume('c2')
    await settled()
    expect(transcripts.get('c1')).toBeUndefined()
    expect(texts(transcripts.get('c2')?.messages)).toEqual(['text 1', 'text 2'])
  })

  it('after a gap keeps what is merged into the open conversation, and reads on in it', async () => {
    const { api, state } = server([message(1)])
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    transcripts.follow(['c2'])
    await transcripts.read('c2')
    state.stored.push(message(2))
    transcripts.resume('c1')
    await settled()
    expect(texts(transcripts.get('c2')?.messages)).toEqual(['text 1', 'text 2'])
    transcripts.follow([])
    transcripts.resume('c1')
    expect(transcripts.get('c2')).toBeUndefined()
  })

  it('shows what the contact types until they clear it or the message arrives', async () => {
    const { api } = server([message(1)])
    const transcripts = createTranscripts(api, () => 1000)
    transcripts.open('c1')
    await transcripts.read('c1')
    const typing = (preview: string) => transcripts.apply({ type: 'typing', conversation_id: 'c1', author: 'contact', preview }, ME)
    typing('where is')
    expect(transcripts.get('c1')?.contactTyping).toEqual({ preview: 'where is', until: 7000 })
    typing('')
    expect(transcripts.get('c1')?.contactTyping).toBeNull()
    typing('')
    expect(transcripts.get('c1')?.contactTyping?.preview).toBe('') // a channel that gives no preview
    transcripts.apply({ type: 'message', conversation_id: 'c1', message: message(2) }, ME)
    expect(transcripts.get('c1')?.contactTyping).toBeNull()
  })

  it('replaces a message that was taken back', async () => {
    const { api } = server([message(1)])
    const transcripts = createTranscripts(api)
    transcripts.open('c1')
    await transcripts.read('c1')
    transcripts.put(message(1, { recalled_at: '2026-11-21T08:01:00Z', recalled_by: 'Sam' }))
    expect(transcripts.get('c1')?.messages.map((one) => one.recalled_by)).toEqual(['Sam'])
  })

  it('keeps what was taken back while the messages were on their way, though these are older', async () => {
    let arrives = (_: { messages: Message[] }): void => undefined
    const { api } = server()
    let pages = 0
    const slow = { ...api, messages: () => (pages++ ? Promise.resolve({ messages: [] }) : new Promise<{ messages: Message[] }>((resolve) => (arrives = resolve))) }
    const transcripts = createTranscripts(slow)
    transcripts.open('c1')
    const back = message(2, { text: 'the code is 9', recalled_at: '2026-03-01T08:00:00Z' })
    transcripts.apply({ type: 'message', conversation_id: 'c1', message: back }, ME)
    arrives({ messages: [message(1), message(2, { text: 'the code is 9' })] })
    await transcripts.read('c1')
    expect(transcripts.get('c1')?.messages.map((one) => one.recalled_at ?? null)).toEqual([null, '2026-03-01T08:00:00Z'])
  })

  it('tells the server how far it was read, and not again once the agent has seen the refusal', async () => {
    const { api } = server()
    const sent: (number | undefined)[] = []
    const refusing = {
      ...api,
      reply: (id: string, outgoing: Outgoing) => {
        sent.push(outgoing.read_seq)
        return sent.length === 1 ? Promise.reject(new ApiError(409, 'answered_meanwhile', 'Sam has answered meanwhile')) : api.reply(id, outgoing)
      },
    }
    const transcripts = createTranscripts(refusing)
    transcripts.open('c1')
    await transcripts.send('c1', 'reply', 'hello', [], { read_seq: 7 })
    await transcripts.retry('c1', transcripts.get('c1')!.pending[0]!.client_msg_id)
    expect(sent).toEqual([7, undefined])
    expect(transcripts.get('c1')?.pending).toEqual([])
  })
})
