// Figures as people read them: values, intervals, changes, and whether a change is good.
import { money } from './format'
import type { Answer, Change, Figure, Form, Metric, Part } from './report_api'
import type { Language } from './stores/preferences'

const locale = (language: Language) => (language === 'zh' ? 'zh-CN' : 'en-GB')
const number = (value: number, language: Language, digits = 0) => new Intl.NumberFormat(locale(language), { maximumFractionDigits: digits, minimumFractionDigits: 0 }).format(value)

/** "48 s", "3 min 20 s", "2 h 5 min": a length of time in two steps at most. */
export function span(seconds: number, language: Language): string {
  const units = language === 'zh' ? [' 天', ' 小时', ' 分', ' 秒'] : [' d', ' h', ' min', ' s']
  const whole = Math.round(Math.abs(seconds))
  const parts = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60]
  const first = parts.findIndex((part) => part > 0)
  if (first < 0) return `0${units[3]}`
  return parts.slice(first, first + 2).map((part, index) => (part || !index ? `${part}${units[first + index]}` : '')).filter(Boolean).join(' ')
}

/** One value in the form of its figure. */
export function written(form: Form, value: number | null, language: Language, currency = 'CNY'): string {
  if (value === null) return '–'
  if (form === 'share') return `${number(value * 100, language, 1)}%`
  if (form === 'seconds') return span(value, language)
  if (form === 'milliseconds') return value >= 10_000 ? span(value / 1000, language) : value >= 1000 ? `${number(value / 1000, language, 2)}${language === 'zh' ? ' 秒' : ' s'}` : `${number(value, language)}${language === 'zh' ? ' 毫秒' : ' ms'}`
  if (form === 'money') return money(value * 100, currency, language)
  if (form === 'error') return number(value, language, 3)
  return number(value, language, form === 'points' ? 0 : 1)
}

/** A difference with its sign: of shares in points, of counts and money in percent of what was before. */
export function difference(form: Form, change: Change, language: Language): string {
  const { difference: by, previous } = change
  if (by === null) return ''
  const sign = by > 0 ? '+' : by < 0 ? '−' : '±'
  const size = Math.abs(by)
  if (form === 'share') return `${sign}${number(size * 100, language, 1)}${language === 'zh' ? ' 个百分点' : ' pts'}`
  if (form === 'count' || form === 'money') return previous.value ? `${sign}${number((size / Math.abs(previous.value)) * 100, language)}%` : `${sign}${written(form, size, language)}`
  if (form === 'points') return `${sign}${number(size, language)}`
  return `${sign}${written(form, size, language)}`
}

export type Tone = 'better' | 'worse' | 'changed' | 'unsure' | 'unknown' | 'same'
/** What a change means; only one that is surely there is called better or worse. */
export function toneOf(metric: Pick<Metric, 'better'>, change: Change | null): Tone {
  if (change?.difference === 0) return 'same'
  if (!change || change.difference === null || change.significant === null) return 'unknown'
  if (!change.significant) return 'unsure'
  if (metric.better === 0) return 'changed'
  return Math.sign(change.difference) === metric.better ? 'better' : 'worse'
}

/** The 95 % interval; empty where there is none. */
export function interval(form: Form, figure: Figure, language: Language): string {
  return figure.low === null || figure.high === null ? '' : `${written(form, figure.low, language)} – ${written(form, figure.high, language)}`
}

/** Which of the counted things a click on the figure is about: of a share those that it counts. */
export const partOf = (form: Form): Part => (form === 'share' ? 'part' : 'all')
/** How many things a list behind the figure has. */
export function countOf(form: Form, figure: Figure, part: Part): number {
  return (form === 'share' && part === 'part' ? figure.part : (figure.whole ?? (form === 'count' ? figure.value : null))) ?? 0
}

export interface ChartSeries { name: string; values: (number | null)[] }
/** The rows of several answers side by side: every key once, in the order of the first answer that has it. */
export const keysOf = (answers: Answer[]): string[] => [...new Set(answers.flatMap((one) => one.rows.map((row) => row.key)))]
/** The keys of which most was counted come first; what is not known comes last. */
export function rankedKeys(answers: Answer[], keys: string[]): string[] {
  const counted = (key: string): number => Math.max(0, ...answers.map((one) => one.rows.find((row) => row.key === key)?.figure.whole ?? 0))
  return [...keys].sort((a, b) => Number(a === '') - Number(b === '') || counted(b) - counted(a))
}
/** Of what is counted, nothing is zero; of what is measured, nothing is a gap. */
export function valuesOf(answer: Answer, form: Form, keys: string[]): (number | null)[] {
  const rows = new Map(answer.rows.map((row) => [row.key, row.figure.value]))
  return keys.map((key) => rows.get(key) ?? (form === 'count' || form === 'money' ? 0 : null))
}

/** What to say where nothing was counted: that the bot said nothing is not the same as that nobody judged what it said. */
export const emptyWords = (metric: string | undefined): string => (metric === 'accuracy' || metric === 'calibration' ? 'reports.unjudged' : 'reports.nothing')
