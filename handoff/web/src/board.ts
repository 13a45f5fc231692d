// The live board: the JSON of the API, and what the page makes of it as time goes by.
import type { Author, Hidden, Participant, PresenceState, Priority, Status, Tier } from './types'

export const STATES = ['queued', 'assigned', 'bot', 'snoozed'] as const
export type BoardState = (typeof STATES)[number]

export interface BoardRow {
  id: string
  hidden?: Hidden
  contact_id: string
  contact_name: string | null
  status: Status
  state: BoardState
  last_seq: number
  revision: number
  channel: string
  account: string
  language: string
  team_id: string | null
  agent_id: string | null
  agent_name: string | null
  opened_at: string
  updated_at: string
  queued_at: string | null
  waits_since: string | null
  promise_at: string | null
  risk_at: string | null
  told_until: string | null
  sentiment: number | null
  sentiment_label: string | null
  handoff_reason: string | null
  preview: string
  preview_author: Author | null
  manual_priority: Priority
  tier: Tier
  offered_to: string | null
  offered_name: string | null
  offered_until: string | null
  snoozed_until: string | null
  participants: Participant[]
  intent: string | null
  confidence: number | null
  asked_back: boolean
}
export interface BoardQueue { team_id: string | null; waiting: number; oldest_since: string | null; expected_seconds: number | null; late: number; at_risk: number; on_duty: number; open: boolean; opens_at: string | null }
export interface BoardAgent { agent_id: string; agent_name: string; role: string; state: PresenceState; assigned: number; offered: number; capacity: number; teams: string[]; unanswered_since: string | null }
export type BoardTotals = Record<BoardState | 'all' | 'late' | 'at_risk', number>
export interface BoardAnswer { now: string; conversations: BoardRow[]; matching: number; limit: number; totals: BoardTotals; channels: string[]; queues: BoardQueue[]; agents: BoardAgent[] }
/** Empty strings do not limit. */
export interface BoardFilter { state: '' | BoardState; team: string; agent: string; channel: string }
export interface BoardQuestion extends Partial<BoardFilter> { ids?: string; limit?: number }

export const SORTS = ['attention', 'waiting', 'promise', 'mood', 'confidence', 'priority', 'newest'] as const
export type BoardSort = (typeof SORTS)[number]
export type Need = 'late' | 'risk' | 'unanswered' | 'upset' | 'askedBack' | 'urgent'

export const UNANSWERED_MS = 5 * 60_000
const UPSET = -0.7
const PRIORITIES: readonly Priority[] = ['none', 'low', 'normal', 'high', 'urgent']
const WEIGHT: Record<Need, number> = { late: 32, unanswered: 16, risk: 8, upset: 4, urgent: 2, askedBack: 1 }

export function boardQuery(asked: BoardQuestion): string {
  return new URLSearchParams(Object.entries(asked).flatMap(([name, value]) => (value === '' || value === undefined ? [] : [[name, String(value)]]))).toString()
}

/** How long the contact has waited, by the server's clock; null: they wait for nothing. */
export function waited(row: Pick<BoardRow, 'waits_since'>, now: number): number | null {
  return row.waits_since === null ? null : Math.max(0, now - Date.parse(row.waits_since))
}

/** How much of the promise is left; below zero it is broken. */
export function leftOf(row: Pick<BoardRow, 'promise_at'>, now: number): number | null {
  return row.promise_at === null ? null : Date.parse(row.promise_at) - now
}

/** Why somebody should look at a conversation now, the most pressing reason first. */
export function needsOf(row: BoardRow, now: number): Need[] {
  if (row.state === 'snoozed') return []
  const needs: Need[] = []
  const left = leftOf(row, now)
  if (left !== null && left <= 0) needs.push('late')
  if (row.state === 'assigned' && (waited(row, now) ?? 0) >= UNANSWERED_MS) needs.push('unanswered')
  if (left !== null && left > 0 && row.risk_at !== null && Date.parse(row.risk_at) <= now) needs.push('risk')
  if (row.sentiment_label === 'negative' && (row.sentiment ?? -1) <= UPSET) needs.push('upset')
  if (row.manual_priority === 'urgent') needs.push('urgent')
  if (row.state === 'bot' && row.asked_back) needs.push('askedBack')
  return needs
}

export function fits(row: BoardRow, filter: BoardFilter): boolean {
  return (!filter.state || row.state === filter.state) && (!filter.team || row.team_id === filter.team) && (!filter.agent || row.agent_id === filter.agent) && (!filter.channel || row.channel === filter.channel)
}

/** In the chosen order; equal ones stand as they did, so that no row jumps about while it only ticks. */
export function sorted(rows: readonly BoardRow[], by: BoardSort, now: number): BoardRow[] {
  const weight = (row: BoardRow) => needsOf(row, now).reduce((sum, need) => sum + WEIGHT[need], 0)
  const keys: Record<BoardSort, (row: BoardRow) => number> = {
    attention: (row) => -weight(row),
    waiting: () => 0,
    promise: (row) => (row.promise_at === null ? Infinity : Date.parse(row.promise_at)),
    mood: (row) => row.sentiment ?? 2,
    confidence: (row) => row.confidence ?? 2,
    priority: (row) => -PRIORITIES.indexOf(row.manual_priority),
    newest: (row) => -Date.parse(row.opened_at),
  }
  const since = (row: BoardRow) => (row.waits_since === null ? Infinity : Date.parse(row.waits_since))
  const keyed = rows.map((row) => ({ row, key: keys[by](row), since: since(row) }))
  const order = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1)
  return keyed.sort((a, b) => order(a.key, b.key) || order(a.since, b.since) || order(a.row.id.localeCompare(b.row.id), 0)).map((one) => one.row)
}

/** Of a queue, a word and its colour: never a colour alone. */
export type Tone = 'ok' | 'warn' | 'danger' | 'quiet'
export type QueueWord = 'closed' | 'nobody' | 'late' | 'risk' | 'waiting' | 'clear'
export function queueWord(queue: BoardQueue): { word: QueueWord; tone: Tone } {
  if (queue.late > 0) return { word: 'late', tone: 'danger' }
  if (!queue.open) return { word: 'closed', tone: 'quiet' }
  if (queue.waiting > 0 && queue.on_duty === 0) return { word: 'nobody', tone: 'danger' }
  if (queue.at_risk > 0) return { word: 'risk', tone: 'warn' }
  return queue.waiting > 0 ? { word: 'waiting', tone: 'warn' } : { word: 'clear', tone: 'ok' }
}

/** How many more those who are online could take. */
export function freePlaces(agents: readonly BoardAgent[]): number {
  return agents.filter((one) => one.state === 'online').reduce((sum, one) => sum + Math.max(0, one.capacity - one.assigned - one.offered), 0)
}

/** A note to a colleague that rings at their desk. */
export function whisper(text: string, to: { id: string; name: string } | null): string {
  const said = text.trim()
  const name = to?.name.replace(/[[\]\n]/g, ' ').trim()
  return to && name && /^[0-9a-f]{32}$/.test(to.id) ? `@[${name}](${to.id}) ${said}` : said
}
