// Figures of ratings as people read them, and where the bars of the trend stand.
import { percent } from './format'
import type { RatingFigures, RatingGroup } from './types'

export const BREAKDOWNS = ['team', 'agent', 'channel', 'language', 'intent'] as const
export const SPANS = [4, 12, 26, 52]

/** Answers out of asked ones; null where nobody was asked or the answers are hidden. */
export function responseRate(group: RatingGroup): number | null {
  return group.figures && group.asked ? Math.min(1, group.figures.answers / group.asked) : null
}

export function interval(figures: RatingFigures): string {
  return `${percent(figures.low)}–${percent(figures.high)}`
}

export interface TrendBar { week: string; x: number; width: number; y: number; height: number; low: number; high: number; middle: number; group: RatingGroup }

/** One place for every week from the first to the last one, so that a week without answers is a gap. */
export function trendBars(weeks: RatingGroup[], width: number, height: number): TrendBar[] {
  const first = weeks[0]
  const last = weeks[weeks.length - 1]
  if (!first || !last) return []
  const start = Date.parse(first.key)
  const at = (key: string): number => Math.round((Date.parse(key) - start) / (7 * 86_400_000))
  const step = width / (at(last.key) + 1)
  const bar = Math.min(44, step * 0.62)
  return weeks.map((group) => {
    const middle = (at(group.key) + 0.5) * step
    const { csat, low, high } = group.figures ?? { csat: 0, low: 0, high: 0 }
    return { week: group.key, group, middle, x: middle - bar / 2, width: bar, y: height * (1 - csat), height: height * csat, low: height * (1 - low), high: height * (1 - high) }
  })
}
