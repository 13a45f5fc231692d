// When a snoozed conversation comes back, reckoned in the agent's own time zone.
import type { Language } from './stores/preferences'

export type Preset = 'hours' | 'tomorrow' | 'monday'
export const PRESETS: readonly Preset[] = ['hours', 'tomorrow', 'monday']
const MORNING = 9

/** The moment of a preset; days are the calendar's, so 9:00 stays 9:00 when the clocks change. */
export function presetTime(preset: Preset, now: Date): Date {
  if (preset === 'hours') return new Date(now.getTime() + 3 * 3_600_000)
  const days = preset === 'tomorrow' ? 1 : (8 - now.getDay()) % 7 || 7
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING)
}

/** The value of a `datetime-local` field. */
export function fieldValue(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** "14:30" today, else with the day. */
export function untilText(iso: string, language: Language, now: number): string {
  const at = new Date(iso)
  const today = new Date(now)
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB'
  const sameDay = at.toDateString() === today.toDateString()
  const soon = at.getTime() - now < 6 * 86_400_000
  return new Intl.DateTimeFormat(locale, {
    hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
    ...(sameDay ? {} : soon ? { weekday: 'short' } : { day: 'numeric', month: 'short' }),
  }).format(at)
}
