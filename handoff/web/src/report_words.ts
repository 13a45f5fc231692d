// What the parts of figures are called: channels, topics, teams, days.
import { listed, shortDate } from './format'
import { i18n, intentName } from './i18n'
import type { Catalogue } from './report_api'
import { preferences } from './stores/preferences'
import { teamBook, teamName } from './stores/teams'

const { t, te, tm } = i18n.global

/** "2026-10-01" in the reader's language. */
export const dayName = (day: string): string => shortDate(`${day}T12:00:00`, preferences.language)

function timeName(by: string, key: string): string {
  if (by === 'day') return dayName(key)
  if (by === 'week') return t('reports.weekOf', { day: dayName(key) })
  if (by === 'month') return new Intl.DateTimeFormat(preferences.language === 'zh' ? 'zh-CN' : 'en-GB', { year: 'numeric', month: 'short' }).format(new Date(`${key}-15T12:00:00`))
  if (by === 'hour') return `${key.padStart(2, '0')}:00`
  return (tm('reports.weekdays') as string[])[Number(key) - 1] ?? key
}

/** The words for one part of a figure; `label` is what the server calls it. */
export function partName(by: string, key: string, catalogue: Catalogue | null, label?: string | null): string {
  if (key === '') return t('reports.unknown')
  if (catalogue?.times.includes(by)) return timeName(by, key)
  if (by === 'channel' && te(`channel.${key}`)) return t(`channel.${key}`)
  if (by === 'language' && te(`language.${key}`)) return t(`language.${key}`)
  if (by === 'intent' && te(`intent.${key}`)) return intentName(key)
  if (by === 'reason' && te(`reason.${key}`)) return t(`reason.${key}`)
  const team = by === 'team' ? teamBook.teams.value.find((one) => one.id === key) : undefined
  if (team) return teamName(team)
  if (by === 'served' && te(`reports.served.${key}`)) return t(`reports.served.${key}`)
  return label || catalogue?.labels[by]?.[key] || key
}

/** What something is broken down by. */
export const dimensionName = (by: string): string => t(te(`reports.dimensions.${by}`) ? `reports.dimensions.${by}` : `reports.times.${by}`)

export const metricTitle = (metric: string, served?: string | null): string => {
  const title = t(`reports.metrics.${metric}`)
  return served ? `${title} · ${t(`reports.served.${served}`)}` : title
}

export const partNames = (by: string, keys: readonly string[], catalogue: Catalogue | null): string => listed(keys.map((key) => partName(by, key, catalogue)), preferences.language)
