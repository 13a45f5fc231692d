// What went wrong with the bot, as the trainers' inbox gives it out, and small words about it.
import type { MadeIntent } from './examples'

export const REASONS = ['low_confidence', 'clarified', 'missed', 'handed_off', 'disliked', 'corrected', 'low_rating', 'reviewer'] as const
export type Reason = (typeof REASONS)[number]
export type MishapState = 'new' | 'done' | 'ignored'
export type MishapSort = 'frequent' | 'newest' | 'cost'
export type DecisionKind = 'assign' | 'new_intent' | 'out_of_scope' | 'gap' | 'done' | 'ignored' | 'new'
export type Language = 'zh' | 'en'

export interface MishapFilters { state: MishapState; sort: MishapSort; reasons: Reason[]; language: '' | Language; channel: string; days: number; q: string }

export interface MishapGroup {
  id: string; state: MishapState; medoid: string; text: string; revision: number; upto: number
  messages: number; contacts: number; first_at: string; last_at: string
  by_reason: Partial<Record<Reason, number>>; by_language: Partial<Record<Language, number>>
  mean_rating: number | null; rated: number; handoffs: number
  changed_at: string | null; changed_by: string | null; change: DecisionKind | 'undone' | null
  done_at: string | null; again_at: string | null; again_model: string | null
}

export interface MishapMessage {
  message_id: string; state: MishapState; conversation_id: string; seq: number; channel: string; language: Language; at: string
  reasons: Reason[]; intent: string | null; confidence: number | null; answer_limit: number | null; clarify_limit: number | null
  route: string | null; model_id: string | null; rating: number | null; handed_off: boolean; text: string; masked: string
  changed_by: string | null
}

export interface MishapDecision {
  id: string; group_id: string; kind: DecisionKind; intent: string | null; examples: number; messages: number
  state: 'begun' | 'made' | 'undoing' | 'undone'; at: string; by_id: string; by_name: string; undone_at: string | null; undone_by: string | null
}

export interface MishapPage {
  groups: MishapGroup[]; total: number; counts: Record<MishapState | 'gaps', number>; channels: string[]
  progress: { read: number; of: number }; teaches: boolean
}
export interface MishapSeen { group: MishapGroup; messages: MishapMessage[]; decisions: MishapDecision[] }
export interface MishapSuggestion { intent: string; confidence: number; by_bot: number | null; nearest: string | null; similarity: number | null }
export interface EntityType { name: string; zh: string; en: string }
export interface Gap { decision_id: string; group_id: string; at: string; by_name: string; messages: number; contacts: number; texts: string[] }
export interface ExampleLine { language: Language; text: string }
export interface MishapWish {
  revision: number; kind: DecisionKind; upto?: number; message_ids?: string[]; intent?: string; made?: MadeIntent; lines?: ExampleLine[]; keep?: boolean
}
export type ManyResult = { id: string; ok: true; decision: MishapDecision } | { id: string; ok: false; error: { code: string; message: string; detail?: string } }

export function mishapQuery(filters: MishapFilters, offset = 0): string {
  const { reasons, days, ...rest } = filters
  const given = { ...rest, reasons: reasons.join(','), days: days ? String(days) : '', offset: offset ? String(offset) : '' }
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString()
}

/** The different lines of a group's messages, without personal data; the commonest first. */
export function linesOf(messages: readonly MishapMessage[]): (ExampleLine & { count: number })[] {
  const found = new Map<string, ExampleLine & { count: number }>()
  for (const one of messages) {
    const key = `${one.language} ${one.masked.trim().toLowerCase()}`
    const known = found.get(key)
    if (known) known.count += 1
    else found.set(key, { language: one.language, text: one.masked, count: 1 })
  }
  return [...found.values()].sort((a, b) => b.count - a.count)
}

/** The line with a part of it marked as an entity, in the form that training reads; null where that cannot be. */
export function marked(text: string, start: number, end: number, entity: string): string | null {
  const from = start + (text.slice(start, end).length - text.slice(start, end).trimStart().length)
  const to = end - (text.slice(start, end).length - text.slice(start, end).trimEnd().length)
  const part = text.slice(from, to)
  if (!part || /[[\]{}]/.test(part)) return null
  for (const mark of text.matchAll(/\[[^\]]*\](?:\{[^}]*\}|\([^)]*\))/g)) {
    if (from < mark.index + mark[0].length && to > mark.index) return null
  }
  return `${text.slice(0, from)}[${part}]{"entity": "${entity}"}${text.slice(to)}`
}

/** What the server says about a refusal beside its message. */
export function detailOf<T>(detail: string): T | null {
  try {
    return detail ? (JSON.parse(detail) as T) : null
  } catch {
    return null
  }
}
