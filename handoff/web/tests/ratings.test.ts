// Figures of ratings: shares, and where the bars of the trend stand.
import { describe, expect, it } from 'vitest'

import { ratings as en } from '../src/i18n/ratings.en'
import { ratings as zh } from '../src/i18n/ratings.zh'
import { interval, responseRate, trendBars } from '../src/ratings'
import type { RatingFigures, RatingGroup } from '../src/types'

const figures: RatingFigures = { answers: 8, scored: 8, csat: 0.75, low: 0.41, high: 0.93, mean: 4, distribution: [0, 1, 1, 3, 3], verified: 6, refuted: 1, assumed: 3 }
const group = (key: string, changes: Partial<RatingGroup> = {}): RatingGroup => ({ breakdown: 'week', key, label: key, asked: 10, hidden: null, figures, ...changes })

describe('ratings', () => {
  it('count answers among those who were asked', () => {
    expect(responseRate(group('a'))).toBe(0.8)
    expect(responseRate(group('a', { asked: 0 }))).toBeNull()
    expect(responseRate(group('a', { hidden: 'few', figures: null }))).toBeNull()
    expect(interval(figures)).toBe('41%–93%')
  })

  it('leave a gap in the trend for a week without answers', () => {
    const [first, second] = trendBars([group('2026-03-02'), group('2026-03-16')], 300, 100)
    expect([first?.middle, second?.middle]).toEqual([50, 250])
    expect([first?.y, first?.height]).toEqual([25, 75])
    expect(trendBars([], 300, 100)).toEqual([])
  })

  it('draw nothing of a week that is hidden', () => {
    expect(trendBars([group('2026-03-02', { hidden: 'few', figures: null })], 300, 100)[0]?.height).toBe(0)
  })

  it('are said in both languages', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort())
  })
})
