import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { boardQuery, freePlaces, needsOf, queueWord, sorted, waited, whisper, type BoardAgent, type BoardAnswer, type BoardQuestion, type BoardQueue, type BoardRow } from '../src/board'
import { createBoard } from '../src/stores/board'
import type { LiveEvent } from '../src/stores/live'
import { conversation, message, settled } from './build'

const NOW = Date.UTC(2026, 10, 21, 8, 0, 0)
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

function row(id: string, more: Partial<BoardRow> = {}): BoardRow {
  return {
    id, contact_id: `contact-${id}`, contact_name: null, status: 'queued', state: 'queued', last_seq: 1, revision: 1, channel: 'webchat', account: 'default', language: 'en', team_id: 'default',
    agent_id: null, agent_name: null, opened_at: before(600), updated_at: before(60), queued_at: before(60), waits_since: before(60), promise_at: null, risk_at: null, told_until: null, sentiment: null,
    sentiment_label: null, handoff_reason: null, preview: '', preview_author: null, manual_priority: 'none', tier: 'standard', offered_to: null, offered_name: null, offered_until: null, snoozed_until: null,
    participants: [], intent: null, confidence: null, asked_back: false, ...more,
  }
}
const queue = (more: Partial<BoardQueue> = {}): BoardQueue => ({ team_id: 'default', waiting: 0, oldest_since: null, expected_seconds: 60, late: 0, at_risk: 0, on_duty: 1, open: true, opens_at: null, ...more })
const agent = (more: Partial<BoardAgent> = {}): BoardAgent => ({ agent_id: 'a', agent_name: 'A', role: 'agent', state: 'online', assigned: 0, offered: 0, capacity: 5, teams: [], unanswered_since: null, ...more })

/** A server that holds these rows, and what it was asked. */
function desk(...held: BoardRow[]) {
  const server = { rows: new Map(held.map((one) => [one.id, one])), asked: [] as BoardQuestion[], fails: false, gate: null as Promise<void> | null }
  const board = createBoard(async (question): Promise<BoardAnswer> => {
    server.asked.push({ ...question })
    const all = [...server.rows.values()]
    const listed = question.ids !== undefined ? all.filter((one) => question.ids!.split(',').includes(one.id)) : all.slice(0, question.limit)
    const now = new Date(Date.now() + 5_000).toISOString()
    if (server.gate) await server.gate
    if (server.fails) throw new Error('away')
    return { now, conversations: listed, matching: all.length, limit: 300, totals: { all: all.length, queued: all.length, assigned: 0, bot: 0, snoozed: 0, late: 0, at_risk: 0 }, channels: [], queues: [], agents: [] }
  })
  return { server, board }
}
const changed = (id: string): LiveEvent => ({ type: 'conversation', conversation: conversation(id) })
const soon = async () => {
  await vi.advanceTimersByTimeAsync(800)
  await settled()
}

describe('the board', () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW }))
  afterEach(() => void vi.useRealTimers())

  it('reads everything once, and then what events name, all of a moment in one question', async () => {
    const { server, board } = desk(row('a'), row('b'))
    board.watch(true)
    await settled()
    expect([...board.rows.keys()]).toEqual(['a', 'b'])
    server.rows.set('a', row('a', { preview: 'new' }))
    server.rows.delete('b')
    server.rows.set('c', row('c'))
    for (const id of ['a', 'b', 'c', 'a', 'a']) board.apply(changed(id))
    board.apply({ type: 'message', conversation_id: 'a', message: message(2) })
    await soon()
    expect(server.asked.slice(1)).toEqual([expect.objectContaining({ ids: 'a,b,c' })])
    expect([board.rows.get('a')?.preview, [...board.rows.keys()].sort()]).toEqual(['new', ['a', 'c']])
  })

  it('asks nothing for what moves no figure, and for people only the figures', async () => {
    const { server, board } = desk(row('a'))
    board.watch(true)
    await settled()
    board.apply({ type: 'typing', conversation_id: 'a', author: 'contact' })
    board.apply({ type: 'viewing', conversation_id: 'a', agent_id: 'x', name: 'X' })
    await soon()
    expect(server.asked.length).toBe(1)
    board.apply({ type: 'presence', agent: { agent_id: 'x', name: 'X', state: 'away', assigned: 0 } })
    await soon()
    expect(server.asked[1]).toMatchObject({ limit: 0 })
    expect(board.rows.size).toBe(1)
  })

  it('is right after a reconnection, whatever was missed', async () => {
    const { server, board } = desk(row('a'), row('b'))
    board.watch(true)
    await settled()
    server.rows = new Map([['c', row('c')]])
    board.resume()
    await settled()
    expect([...board.rows.keys()]).toEqual(['c'])
  })

  it('asks one question at a time, so that no older answer comes last', async () => {
    const { server, board } = desk(row('a'))
    let open: () => void = () => undefined
    server.gate = new Promise((resolve) => (open = resolve))
    board.watch(true)
    await settled()
    server.rows.set('a', row('a', { preview: 'newer' }))
    board.apply(changed('a'))
    await soon()
    expect(server.asked.length).toBe(1)
    open()
    await soon()
    expect([server.asked.length, board.rows.get('a')?.preview]).toEqual([2, 'newer'])
  })

  it('reads everything again where more changed than one question holds', async () => {
    const { server, board } = desk(row('a'))
    board.watch(true)
    await settled()
    for (let n = 0; n < 101; n += 1) board.apply(changed(`c${n}`))
    await soon()
    expect(server.asked[1]).toMatchObject({ limit: 300 })
  })

  it('asks again for what it could not read', async () => {
    const { server, board } = desk(row('a'))
    board.watch(true)
    await settled()
    server.fails = true
    server.rows.set('a', row('a', { preview: 'new' }))
    board.apply(changed('a'))
    await soon()
    expect(board.failed.value).toBe('away')
    server.fails = false
    await vi.advanceTimersByTimeAsync(21_000)
    await settled()
    expect([board.failed.value, board.rows.get('a')?.preview]).toEqual([null, 'new'])
  })

  it('takes nobody’s data for the wall, and knows nothing once nobody looks', async () => {
    const { server, board } = desk(row('a'))
    const leave = board.watch(false)
    await settled()
    board.apply(changed('a'))
    await soon()
    expect([server.asked.every((one) => one.limit === 0), board.rows.size, board.figures.value?.totals.all]).toEqual([true, 0, 1])
    leave()
    board.apply(changed('a'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect([server.asked.length, board.figures.value]).toEqual([2, null])
  })

  it('forgets at once what this person does not see any more and who was erased', async () => {
    const { board } = desk(row('a'), row('b'), row('c'))
    board.watch(true)
    await settled()
    board.apply({ type: 'gone', conversation_id: 'a' })
    board.apply({ type: 'erased', contact_id: 'contact-b' })
    expect([...board.rows.keys()]).toEqual(['c'])
  })

  it('shows what a filter wants, asks the server for it, and says how many more there are', async () => {
    const { server, board } = desk(row('a'), row('b', { state: 'bot', status: 'bot' }))
    board.watch(true)
    await settled()
    board.choose({ state: 'bot' })
    await settled()
    expect(server.asked[1]).toMatchObject({ state: 'bot', limit: 300 })
    expect([board.shown.value.map((one) => one.id), board.beyond.value]).toEqual([['b'], 1])
  })

  it('goes by the server’s clock', async () => {
    const { board } = desk(row('a'))
    board.watch(true)
    await settled()
    expect(board.behind.value).toBe(5_000)
  })
})

describe('a row', () => {
  it('says why somebody should look, as time goes by', () => {
    const one = row('a', { promise_at: before(-100), risk_at: before(-50) })
    expect([needsOf(one, NOW), needsOf(one, NOW + 50_000), needsOf(one, NOW + 100_000)]).toEqual([[], ['risk'], ['late']])
    expect(needsOf(row('b', { state: 'assigned', waits_since: before(301) }), NOW)).toEqual(['unanswered'])
    expect(needsOf(row('c', { sentiment_label: 'negative', sentiment: -0.8, manual_priority: 'urgent' }), NOW)).toEqual(['upset', 'urgent'])
    expect(needsOf(row('d', { state: 'bot', waits_since: null, asked_back: true }), NOW)).toEqual(['askedBack'])
    expect(needsOf(row('e', { state: 'snoozed', promise_at: before(10), sentiment_label: 'negative' }), NOW)).toEqual([])
  })

  it('waits by its own moment, never less than nothing', () => {
    expect([waited(row('a'), NOW), waited(row('a'), NOW - 90_000), waited(row('a', { waits_since: null }), NOW)]).toEqual([60_000, 0, null])
  })

  it('stands where it is to be looked for', () => {
    const rows = [row('calm', { waits_since: before(900) }), row('late', { promise_at: before(1), risk_at: before(9) }), row('sad', { sentiment: -0.9, sentiment_label: 'negative' }), row('bot', { waits_since: null, confidence: 0.2 })]
    const ids = (by: Parameters<typeof sorted>[1]) => sorted(rows, by, NOW).map((one) => one.id)
    expect(ids('attention')).toEqual(['late', 'sad', 'calm', 'bot'])
    expect(ids('waiting')[0]).toBe('calm')
    expect(ids('promise')[0]).toBe('late')
    expect(ids('mood')[0]).toBe('sad')
    expect(ids('confidence')[0]).toBe('bot')
  })
})

describe('the figures', () => {
  it('have a word for every colour', () => {
    expect(queueWord(queue())).toEqual({ word: 'clear', tone: 'ok' })
    expect(queueWord(queue({ waiting: 1, on_duty: 0 })).word).toBe('nobody')
    expect(queueWord(queue({ waiting: 1, at_risk: 1 })).word).toBe('risk')
    expect(queueWord(queue({ open: false, waiting: 3 })).word).toBe('closed')
    expect(queueWord(queue({ open: false, late: 1 })).tone).toBe('danger')
  })

  it('count the places of those who are there, and no less than none', () => {
    expect(freePlaces([agent({ assigned: 2, offered: 1 }), agent({ assigned: 7 }), agent({ state: 'away' })])).toBe(2)
  })

  it('ask only for what is wanted', () => {
    expect(boardQuery({ state: '', team: 'a b', limit: 0 })).toBe('team=a+b&limit=0')
  })
})

describe('a whisper', () => {
  it('mentions the agent by a name that breaks no mention', () => {
    const id = 'a'.repeat(32)
    expect(whisper(' look at the date ', { id, name: 'Chen [Yu]' })).toBe(`@[Chen  Yu](${id}) look at the date`)
    expect(whisper('look', null)).toBe('look')
  })
})
