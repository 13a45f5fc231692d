// Replays of real turns on another model, as the server gives them out, and small words about them.
import type { Hidden, Message } from './types'

export const CHANGE_KINDS = ['failed', 'handoff', 'route', 'actions', 'passages', 'asked', 'slots', 'replies', 'language', 'intent', 'entities'] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]
export const VERDICTS = ['better', 'worse', 'same'] as const
export type Verdict = (typeof VERDICTS)[number]
export type ReplayState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface Interval { share: number; low: number; high: number }
export interface Estimate { changes: number; judged: number; better: Interval; worse: Interval; same: Interval; worse_turns: Interval; net: number }
export interface ReplayFigures {
  turns: number; same: number; changed: number; after_divergence: number; conversations: number; seconds: number
  not_replayable: Record<string, number>; by_kind: Partial<Record<ChangeKind, number>>
}
export interface Replay {
  id: string; model: string; state: ReplayState; progress: { share: number; step: string } | null; problem: string | null
  options: { turns: number; chosen: number; days: number | null; thresholds: 'logged' | 'now'; channels: string[]; languages: string[]; precision: number }
  figures: ReplayFigures | null; hash: string | null; sample: number; estimate: Estimate | null
  intents: { intent: string; intent_after: string; count: number }[]; created_at: string; done_at: string | null; by_name: string
}
export interface ReplayGate { passed: boolean; replay_id: string | null; reason: string; numbers: Record<string, number> }
export interface ReplayModel { model: string; made_at: string; note: string; live: boolean }
export interface ReplayBudget { worse_percent: number; least_judged: number; least_turns: number; most_days: number; revision: number; by_name: string | null }
export interface ReplayOverview { replays: Replay[]; models: ReplayModel[]; gates: Record<string, ReplayGate>; budget: ReplayBudget }

/** A turn on one side: as it was, or as the candidate would have it. */
export interface TurnSide {
  failed?: string; intent?: string; confidence?: number; parts?: string[]; language?: string | null; route?: string | null; actions?: string[]
  passages?: { id: string; version: string }[]; handoff?: string | null; replies?: string[]; entities?: string[]
  slots?: Record<string, 'filled' | 'emptied' | 'other'>; asked?: { action: string; otherwise: boolean }
}
export interface ReplayChange {
  turn_id: string; conversation_id: string; seq: number; channel: string; language: 'zh' | 'en'; at: string; kind: ChangeKind; kinds: ChangeKind[]; stops: boolean
  before: TurnSide; after: TurnSide; rating: number | null; resolution: 'verified' | 'assumed' | 'refuted' | null; handed_off: boolean; risky: boolean; rank: number
  verdict: Verdict | null; judged_name: string | null; text: string; replies: string[]; context: Message[]; hidden?: Hidden
}
export interface ChangeFilters { kind: '' | ChangeKind; language: '' | 'zh' | 'en'; rating: '' | 'low' | 'high' | 'none'; verdict: '' | Verdict | 'open' | 'risky'; intents: string }
export interface ReplayWish { model: string; turns: number; days: number; thresholds: 'logged' | 'now'; channels: string[]; languages: string[]; precision: number }

export function changesQuery(filters: ChangeFilters, offset = 0): string {
  const [intent = '', intent_after = ''] = filters.intents.split(' ')
  const { kind, language, rating, verdict } = filters
  const given = { kind, language, rating, verdict, intent, intent_after, offset: offset ? String(offset) : '' }
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString()
}

export const isOver = (replay: Replay): boolean => replay.state === 'done' || replay.state === 'failed' || replay.state === 'cancelled'

/** How many turns could be compared. */
export const compared = (figures: ReplayFigures): number => figures.same + figures.changed
/** How many turns could not be run again, whatever the reason. */
export const lost = (figures: ReplayFigures): number => Object.values(figures.not_replayable).reduce((sum, one) => sum + one, 0)
