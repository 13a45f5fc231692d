// What the reports page shows, as it is kept in the address: section, period, filters and what is compared.
import type { Filters, Metric, Query } from './report_api'

export const PERIODS = ['today', '7d', '30d', '90d', 'last_week', 'last_month', 'own'] as const
export type Period = (typeof PERIODS)[number]
/** What a page of figures can be limited to. */
export const LIMITS = ['channel', 'team', 'agent', 'language', 'intent', 'model', 'reason'] as const
export const SECTIONS = ['volume', 'bot', 'satisfaction', 'people', 'knowledge', 'model', 'cost'] as const
export type Section = (typeof SECTIONS)[number]
export interface Days { since: string; until: string }
export interface Shown { section: Section; period: Period; since: string; until: string; filters: Filters; chart: string; by: string; see: string }

/** A figure of the page; what people and the bot each got is never one number. */
export interface Tile { id: string; metric: string; served?: 'bot' | 'human' }
/** Figures that are drawn together, beside one another. */
export interface Chart { id: string; tiles: Tile[]; by: string }
const chart = (metric: string, by: string): Chart => ({ id: metric, by, tiles: [{ id: metric, metric }] })
const apart = (metric: string, by: string): Chart => ({ id: metric, by, tiles: (['bot', 'human'] as const).map((served) => ({ id: `${metric}.${served}`, metric, served })) })
const beside = (id: string, by: string, ...metrics: string[]): Chart => ({ id, by, tiles: metrics.map((metric) => ({ id: metric, metric })) })

export const CHARTS: Record<Section, Chart[]> = {
  volume: [chart('conversations', 'channel'), chart('messages', 'channel'), chart('turns', 'intent'), chart('handoffs', 'reason')],
  bot: [beside('resolution', 'intent', 'contained', 'verified', 'assumed', 'refuted'), chart('bot_share', 'channel'), chart('escalation', 'intent'), chart('miss_rate', 'intent'), chart('failed_actions', 'intent')],
  satisfaction: [apart('csat', 'channel'), apart('nps', 'channel'), apart('response_rate', 'channel')],
  people: ['first_response', 'wait', 'wait_error', 'handle_time', 'first_contact_resolution', 'reopened', 'sla'].map((name) => chart(name, 'team')),
  knowledge: [beside('questions', 'intent', 'answered', 'missed'), chart('cited', 'article'), chart('disliked', 'article')],
  model: [chart('accuracy', 'intent'), chart('calibration', 'model'), chart('latency', 'model')],
  cost: [beside('saved', 'channel', 'saved_verified', 'saved_assumed')],
}

const DAY_MS = 86_400_000
const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/
const at = (day: string): number => Date.parse(`${day}T00:00:00Z`)
const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const isDay = (text: string | null): text is string => text !== null && ISO_DAY.test(text) && !Number.isNaN(at(text)) && isoDay(at(text)) === text
export const addDays = (day: string, days: number): string => isoDay(at(day) + days * DAY_MS)
export const lengthOf = ({ since, until }: Days): number => Math.round((at(until) - at(since)) / DAY_MS) + 1
/** The Monday of a day's week. */
export const mondayOf = (day: string): string => addDays(day, -((new Date(at(day)).getUTCDay() + 6) % 7))

/** The day that it is where the desk is. */
export function todayIn(zone: string, now: number): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(new Date(now))
  const of = (type: string) => parts.find((one) => one.type === type)?.value ?? ''
  return `${of('year')}-${of('month')}-${of('day')}`
}

/** The days of a period, the first and the last one included. */
export function daysOf(shown: Pick<Shown, 'period' | 'since' | 'until'>, today: string): Days {
  if (shown.period === 'own' && shown.since && shown.until) return { since: shown.since, until: shown.until }
  if (shown.period === 'today') return { since: today, until: today }
  if (shown.period === 'last_week') return { since: addDays(mondayOf(today), -7), until: addDays(mondayOf(today), -1) }
  if (shown.period === 'last_month') {
    const until = addDays(`${today.slice(0, 8)}01`, -1)
    return { since: `${until.slice(0, 8)}01`, until }
  }
  const days = { '7d': 7, '90d': 90 }[shown.period as string] ?? 30
  return { since: addDays(today, 1 - days), until: today }
}

/** The steps of a trend: as fine as can still be told apart, and coarser where few answers make a step. */
export function grainOf(days: Days, section: Section = 'volume'): 'hour' | 'day' | 'week' | 'month' {
  const length = lengthOf(days)
  if (section === 'satisfaction') return length <= 7 ? 'day' : length <= 45 ? 'week' : 'month'
  return length === 1 ? 'hour' : length <= 45 ? 'day' : length <= 200 ? 'week' : 'month'
}

/** The figure of a section whose list is open. */
export const tileIn = (section: Section, id: string | null): Tile | null => CHARTS[section].flatMap((one) => one.tiles).find((tile) => tile.id === id) ?? null

const oneOf = <T extends string>(list: readonly T[], text: string | null, otherwise: T): T => list.find((one) => one === text) ?? otherwise

/** Reads the part of the address behind the question mark; what makes no sense is left out. */
export function readShown(asked: string): Shown {
  const said = new URLSearchParams(asked)
  const [since, until] = [said.get('since'), said.get('until')]
  const dated = isDay(since) && isDay(until) && since <= until
  const period = oneOf(PERIODS, said.get('period'), '30d')
  const see = SECTIONS.find((one) => tileIn(one, said.get('see')) !== null)
  const section = oneOf(SECTIONS, said.get('section'), see ?? 'volume')
  const charts = CHARTS[section]
  const filters = Object.fromEntries(LIMITS.map((name) => [name, said.getAll(name)] as const).filter(([, keys]) => keys.length))
  return {
    section, period: period === 'own' && !dated ? '30d' : period, since: dated ? since : '', until: dated ? until : '', filters,
    chart: (charts.find((one) => one.id === said.get('chart')) ?? charts.find((one) => one.tiles.some((tile) => tile.id === said.get('see'))) ?? charts[0])?.id ?? '',
    by: said.get('by') ?? '', see: tileIn(section, said.get('see'))?.id ?? '',
  }
}

/** The address of what is shown; what goes without saying is left out. */
export function writeShown(shown: Shown): string {
  const said = new URLSearchParams()
  if (shown.section !== 'volume') said.set('section', shown.section)
  if (shown.period !== '30d') said.set('period', shown.period)
  if (shown.period === 'own') for (const name of ['since', 'until'] as const) said.set(name, shown[name])
  for (const name of LIMITS) for (const key of shown.filters[name] ?? []) said.append(name, key)
  if (shown.chart && shown.chart !== CHARTS[shown.section][0]?.id) said.set('chart', shown.chart)
  if (shown.by) said.set('by', shown.by)
  if (shown.see) said.set('see', shown.see)
  return said.toString()
}

/** Which filters a figure does not know: it cannot be shown while one of them is on. */
export const notKnownBy = (metric: Metric, filters: Filters): string[] => Object.keys(filters).filter((name) => filters[name]?.length && !metric.dimensions.includes(name))

/** The question behind a tile. */
export function queryOf(tile: Tile, days: Days, filters: Filters, by: string | null, top: number | null = null): Query {
  return { metric: tile.metric, ...days, by, filters: tile.served ? { ...filters, served: [tile.served] } : filters, top, lowest: false }
}

/** The address of a file of what is shown: one row for each conversation or message. */
export function exportOf(rows: string, format: string, days: Days, filters: Filters): string {
  const said = new URLSearchParams({ rows, format, ...days })
  for (const [name, keys] of Object.entries(filters)) for (const key of keys) said.append(name, key)
  return said.toString()
}

/** Where on the page a question belongs. */
export function shownFor(query: Query): Shown | null {
  for (const section of SECTIONS) {
    const found = CHARTS[section].find((one) => one.tiles.some((tile) => tile.metric === query.metric))
    if (found) return { section, period: 'own', since: query.since, until: query.until, filters: Object.fromEntries(Object.entries(query.filters).filter(([name, keys]) => keys.length && LIMITS.some((one) => one === name))), chart: found.id, by: query.by ?? '', see: '' }
  }
  return null
}
