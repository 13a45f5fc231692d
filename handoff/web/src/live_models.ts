// Which version of the model serves, and how two of them compare, as the server gives it out.
import { ref } from 'vue'

export type LiveChange = 'promote' | 'compare' | 'stop' | 'rollback'
export type Verdict = 'better' | 'worse' | 'close' | 'too_few'
export const METRICS = ['containment', 'handoffs', 'rating', 'satisfied', 'missed', 'turns'] as const
export type Metric = (typeof METRICS)[number]

export interface LiveWish { revision: number; note?: string; model?: string; share?: number; without_replay?: boolean }
export interface Estimate { n: number; value: number | null; low: number | null; high: number | null }
export interface MetricRow {
  metric: Metric; live: Estimate; candidate: Estimate
  difference: { value: number; low: number; high: number } | null; verdict: Verdict; more: number
}
export interface Arm { model: string; conversations: number; running: number; handoff_reasons: { reason: string; conversations: number }[] }
export interface LiveComparison { since: string; share: number; live: Arm; candidate: Arm; metrics: MetricRow[] }
export interface ServedChange {
  seq: number; at: string; what: LiveChange | 'found'; live_model: string; model_before: string | null
  candidate_model: string | null; share: number; replay_id: string | null; note: string; by_name: string | null
}
export interface LiveModels {
  revision: number; live_model: string | null; live_since: string | null; by_name: string | null
  candidate_model: string | null; share: number; model_before: string | null
  pinned: { model: string; conversations: number }[]
  versions: { model: string; sealed_at: string | null; made_note: string; missing_on: string[] }[]
  bots: { url: string; model: string | null; models_loaded: string[]; bot_problem: string | null }[]
  changes: ServedChange[]; comparison: LiveComparison | null
}

/** Counts the changes of what serves that this console was told of. */
export const modelChanges = ref(0)

const SHARES: readonly Metric[] = ['containment', 'handoffs', 'satisfied', 'missed']
export const isShare = (metric: Metric): boolean => SHARES.includes(metric)

/** How a figure is written: shares in percent, means with what one can tell apart. */
export function written(metric: Metric, value: number): string {
  return isShare(metric) ? `${(value * 100).toFixed(1)} %` : value.toFixed(2)
}

/** A difference with its sign; of shares in points. */
export function signed(metric: Metric, value: number): string {
  const size = isShare(metric) ? (Math.abs(value) * 100).toFixed(1) : Math.abs(value).toFixed(2)
  return Number(size) === 0 ? size : `${value < 0 ? '−' : '+'}${size}`
}

/** The part of the scale that a metric is drawn on. */
export function scaleOf(row: MetricRow): [number, number] {
  if (isShare(row.metric)) return [0, 1]
  if (row.metric === 'rating') return [1, 5]
  const highest = Math.max(1, ...[row.live, row.candidate].flatMap((one) => [one.high ?? 0, one.value ?? 0]))
  return [0, highest * 1.1]
}

/** Where something lies on a scale, in percent of its length. */
export function placeOn([from, to]: [number, number], value: number): number {
  return Math.min(100, Math.max(0, ((value - from) / (to - from)) * 100))
}
