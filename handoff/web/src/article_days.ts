// From which day and until which an article holds: shown as days of the desk, and sent back as they came unless somebody changed them.
import type { Article } from './knowledge'
import { todayIn } from './report_place'

export type Validity = Pick<Article, 'valid_from' | 'valid_until'>

/** The desk's days, the last one included; the server's moments are in UTC, and the end is the first moment after it. */
export function shownDays({ valid_from: from, valid_until: until }: Validity, zone: string): Validity {
  return { valid_from: dayOf(from, 0, zone), valid_until: dayOf(until, 1, zone) }
}

/** What the server gets: a day that is still shown as it came may stand for a moment within it. */
export function sentDays(draft: Validity, came: Validity, zone: string): Validity {
  const shown = shownDays(came, zone)
  const sent = (name: keyof Validity) => (draft[name] === shown[name] ? came[name] : draft[name] || null)
  return { valid_from: sent('valid_from'), valid_until: sent('valid_until') }
}

function dayOf(moment: string | null, earlierMs: number, zone: string): string | null {
  return !moment || moment.length === 10 ? moment : todayIn(zone, Date.parse(moment) - earlierMs)
}
