// What the summary card shows, worked out from the data: nothing here is a sentence, so both languages share it.
import { moodOf, type Mood } from './moods'
import type { HandoffSummary } from './types'

export interface ReasonLine { key: string; values: Record<string, string | number>; n?: number }

/** The figures behind a reason, as a key below `signals.detail`. */
export function detailOf(detail: Record<string, unknown>): ReasonLine | null {
  const number = (name: string) => (typeof detail[name] === 'number' ? (detail[name] as number) : null)
  const anger = number('anger')
  if (anger !== null) return { key: 'anger', values: { percent: Math.round(anger * 100) } }
  for (const key of ['failures', 'misses'] as const) {
    const n = number(key)
    if (n !== null) return { key, values: { n }, n }
  }
  const turns = number('turns')
  if (turns !== null) return { key: 'turns', values: { n: turns } }
  const times = number('times')
  if (times !== null) return { key: detail.by === 'bot' ? 'byBot' : 'byContact', values: { n: times } }
  return typeof detail.tier === 'string' ? { key: 'tier', values: { tier: detail.tier } } : null
}

/** The moods of the customer's messages in order, and how the last one sounds. */
export function courseOf(summary: HandoffSummary): { now: Mood | null; trend: string; steps: { seq: number; mood: Mood }[] } {
  const feeling = summary.sentiment
  if (!feeling) return { now: null, trend: 'steady', steps: [] }
  const steps = feeling.course.flatMap((one) => {
    const mood = moodOf(one.label, one.anger)
    return mood ? [{ seq: one.seq, mood }] : []
  })
  return { now: steps[steps.length - 1]?.mood ?? moodOf(feeling.label), trend: feeling.trend, steps }
}
