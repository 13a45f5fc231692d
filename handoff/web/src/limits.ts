// Thresholds as the page shows them: what the server reckons, and the shapes of the curves.
export const THRESHOLDS = ['answer', 'clarify', 'retrieval'] as const
export const OUTCOMES = ['right', 'wrong', 'clarified', 'missed', 'handed_off'] as const
export const COSTS = ['wrong', 'clarified', 'missed', 'handed_off'] as const
export const PERIODS = [30, 90, 365, 0]

export type Threshold = (typeof THRESHOLDS)[number]
export type OutcomeName = (typeof OUTCOMES)[number]
export type Limits = Record<Threshold, number>
export type Costs = Record<(typeof COSTS)[number] | 'silence', number>
export interface Figure { value: number; low: number; high: number }
export type Outcome = Record<OutcomeName | 'cost', Figure> & { reckoned: number }
export type Point = Record<OutcomeName, number> & { at: number; cost: number; cost_low: number; cost_high: number; reckoned: number }
export interface Told { messages: number; right: number; wrong: number; silent: number }
export interface HeldOut { checked_at: string; by_name: string; model_id: string; stale: boolean; lines: number; right: number; curve: { at: number; acted: number; wrong: number }[] }
export interface LimitReport {
  language: string
  version: number
  in_force: Record<Threshold, { limit: number | null; source: 'applied' | 'setting' | 'model' | 'knowledge_base' }>
  recommended: Record<Threshold, Figure>
  outcomes: { in_force: Outcome; recommended: Outcome }
  silence: { right: Limits; nothing: Limits }
  curves: Record<Threshold, Point[]>
  log: {
    messages: number; conversations: number; capped: boolean; first_at: string | null; last_at: string | null
    models: { model_id: string | null; messages: number }[]; more_models: number
    acted: Told; quoted: Told; asked: { messages: number; helped: number; in_vain: number }
    missed: number; handed_off: number; evidence: Record<string, number>
  }
  held_out: HeldOut | null
  checking: { running: boolean; done: number; total: number; failed: string }
  progress: { read: number; of: number }
}
export interface LimitVersion { version: number; applied_at: string | null; by_name: string; why: string; limits: Record<string, Limits>; restores: number | null }
export interface LimitQuestion { language: string; days: number; models: 'all' | 'latest'; costs: Costs }

export const USUAL: Costs = { wrong: 4, clarified: 0.3, missed: 0.6, handed_off: 1, silence: 0.5 }

export function limitQuery(asked: LimitQuestion, tried?: Limits): string {
  const fields = { language: asked.language, days: asked.days, models: asked.models, ...asked.costs, ...tried }
  return new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString()
}

/** Hundredths, as the server counts. */
export function hundredth(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 100) / 100
}

/** The thresholds with one of them moved; the bot never asks back above where it acts, so the other one gives way. */
export function moved(limits: Limits, which: Threshold, to: number): Limits {
  const at = hundredth(to)
  if (which === 'answer') return { ...limits, answer: at, clarify: Math.min(limits.clarify, at) }
  if (which === 'clarify') return { ...limits, clarify: at, answer: Math.max(limits.answer, at) }
  return { ...limits, retrieval: at }
}

export interface Layer { name: OutcomeName; path: string }

/** One area per outcome, each upon the one before it, in a box of this size. */
export function layersOf(points: Point[], width: number, height: number): Layer[] {
  const base = points.map(() => 0)
  return OUTCOMES.map((name) => {
    const lower = [...base]
    points.forEach((point, index) => (base[index] = (base[index] ?? 0) + point[name]))
    const along = (values: number[]): string[] => values.map((value, index) => `${round((points[index]?.at ?? 0) * width)},${round(height * (1 - value))}`)
    return { name, path: points.length ? `M${along(base).join('L')}L${along(lower).reverse().join('L')}Z` : '' }
  })
}

/** A line, or with two values a band, through a box of this size. */
export function lineOf(places: { at: number; value: number }[], width: number, height: number, most: number): string {
  return places.length ? `M${places.map((one) => `${round(one.at * width)},${round(height * (1 - (most ? one.value / most : 0)))}`).join('L')}` : ''
}

export function bandOf(points: Point[], width: number, height: number, most: number): string {
  const upper = lineOf(points.map((one) => ({ at: one.at, value: Math.min(most, one.cost_high) })), width, height, most)
  const lower = lineOf([...points].reverse().map((one) => ({ at: one.at, value: one.cost_low })), width, height, most)
  return points.length ? `${upper}L${lower.slice(1)}Z` : ''
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

/** A share to a tenth of a percent where it is small. */
export function share(value: number): string {
  return value >= 0.0005 && value < 0.1 ? `${(value * 100).toFixed(1)}%` : `${Math.round(value * 100)}%`
}
