// The reports page: periods, what the address keeps, how figures are written, and that every one of them is explained.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { reports as en } from '../src/i18n/reports.en'
import { reports as zh } from '../src/i18n/reports.zh'
import type { Answer, Change, Figure, Metric } from '../src/report_api'
import { optionOf, SERIES } from '../src/report_chart'
import { countOf, difference, interval, keysOf, partOf, rankedKeys, span, toneOf, valuesOf, written } from '../src/report_figures'
import { addDays, CHARTS, daysOf, exportOf, grainOf, lengthOf, mondayOf, notKnownBy, queryOf, readShown, SECTIONS, shownFor, todayIn, writeShown } from '../src/report_place'

const catalogue = readFileSync(new URL('../../../reporting/catalogue.py', import.meta.url), 'utf-8')
const listed = [...catalogue.matchAll(/Metric\("(\w+)", Form\.(\w+)/g)].map((one) => ({ key: one[1] ?? '', form: one[2] ?? '' }))
const figure = (more: Partial<Figure> = {}): Figure => ({ value: null, part: null, whole: null, low: null, high: null, tail: null, ...more })
const answer = (rows: [string, Partial<Figure>][]): Answer => ({
  query: { metric: 'csat', since: '2026-11-01', until: '2026-11-30', by: 'channel', filters: {}, top: null, lowest: false },
  total: figure(), rows: rows.map(([key, more]) => ({ key, label: key, figure: figure(more) })), other: null, change: null, hidden: null,
})
const change = (by: number | null, significant: boolean | null, before = 10): Change => ({ previous: figure({ value: before }), difference: by, significant, p: null })
const paths = (tree: object, at = ''): string[] => Object.entries(tree).flatMap(([key, value]) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? paths(value, `${at}${key}.`) : [`${at}${key}`]))

describe('every figure of the catalogue', () => {
  it('is found in the file that the server reads', () => expect(listed.length).toBeGreaterThan(25))

  it.each(listed)('$key has a title and a definition in both languages', ({ key }) => {
    for (const words of [en, zh]) {
      expect((words.metrics as Record<string, string>)[key]).toBeTruthy()
      expect((words.definitions as Record<string, string>)[key]?.length).toBeGreaterThan(8)
    }
  })

  it('stands in one section of the page', () => {
    const drawn = SECTIONS.flatMap((section) => CHARTS[section].flatMap((one) => one.tiles.map((tile) => tile.metric)))
    expect([...new Set(drawn)].sort()).toEqual(listed.map((one) => one.key).sort())
  })

  it('is defined only if it exists', () => expect(Object.keys(en.definitions).sort()).toEqual(listed.map((one) => one.key).sort()))

  it('is drawn only beside figures of its form', () => {
    const forms = new Map(listed.map((one) => [one.key, one.form]))
    for (const one of Object.values(CHARTS).flat()) expect(new Set(one.tiles.map((tile) => forms.get(tile.metric))).size).toBe(1)
  })

  it('of what contacts thought is never one number for the bot and for people', () => {
    for (const name of ['csat', 'nps', 'response_rate']) expect(CHARTS.satisfaction.find((one) => one.id === name)?.tiles.map((tile) => tile.served)).toEqual(['bot', 'human'])
  })
})

describe('the words of the page', () => {
  it('are there in both languages', () => expect(paths(zh).sort()).toEqual(paths(en).sort()))
})

describe('periods', () => {
  const of = (period: string) => daysOf(readShown(`period=${period}`), '2026-11-18') // a Wednesday
  it('include the first and the last day', () => {
    expect(of('today')).toEqual({ since: '2026-11-18', until: '2026-11-18' })
    expect(of('7d')).toEqual({ since: '2026-11-12', until: '2026-11-18' })
    expect(lengthOf(of('90d'))).toBe(90)
    expect(of('last_week')).toEqual({ since: '2026-11-09', until: '2026-11-15' })
    expect(of('last_month')).toEqual({ since: '2026-10-01', until: '2026-10-31' })
    expect(daysOf(readShown('period=last_month'), '2024-03-31')).toEqual({ since: '2024-02-01', until: '2024-02-29' })
  })

  it('are counted by steps that can be told apart', () => {
    expect(['today', '7d', '30d', '90d'].map((one) => grainOf(of(one)))).toEqual(['hour', 'day', 'day', 'week'])
    expect(grainOf({ since: '2026-01-01', until: '2026-12-31' })).toBe('month')
  })

  it('begin with the day that it is where the desk is', () => {
    const now = Date.UTC(2026, 10, 18, 20, 30)
    expect([todayIn('UTC', now), todayIn('Asia/Shanghai', now)]).toEqual(['2026-11-18', '2026-11-19'])
    expect([mondayOf('2026-11-22'), mondayOf('2026-11-23'), addDays('2026-02-28', 1)]).toEqual(['2026-11-16', '2026-11-23', '2026-03-01'])
  })
})

describe('the address', () => {
  it('keeps everything that is shown', () => {
    const asked = 'section=bot&period=own&since=2026-10-01&until=2026-10-31&channel=wechat&channel=a%26b&intent=&chart=escalation&by=team'
    const shown = readShown(asked)
    expect(shown).toEqual({ section: 'bot', period: 'own', since: '2026-10-01', until: '2026-10-31', filters: { channel: ['wechat', 'a&b'], intent: [''] }, chart: 'escalation', by: 'team', see: '' })
    expect(readShown(writeShown(shown))).toEqual(shown)
  })

  it('of an alert opens the list of what rose, in the section where its figure stands', () => {
    const shown = readShown('period=own&since=2026-06-03&until=2026-06-03&see=miss_rate')
    expect(shown).toMatchObject({ section: 'bot', chart: 'miss_rate', see: 'miss_rate', since: '2026-06-03', filters: {} })
    expect(readShown(writeShown(shown))).toEqual(shown)
    expect(writeShown({ ...shown, see: '' })).toBe('section=bot&period=own&since=2026-06-03&until=2026-06-03&chart=miss_rate')
    expect(readShown('period=7d&intent=refund&see=turns')).toMatchObject({ section: 'volume', chart: 'turns', see: 'turns', filters: { intent: ['refund'] } })
    for (const figure of ['turns', 'miss_rate', 'handoffs', 'failed_actions']) expect(readShown(`see=${figure}`).see).toBe(figure)
  })

  it('opens no list of a figure that does not stand there', () => {
    for (const odd of ['see=nothing', 'section=cost&see=turns', 'see=toString', 'see=']) expect(readShown(odd).see).toBe('')
  })

  it('says nothing of what goes without saying', () => expect(writeShown(readShown(''))).toBe(''))

  it('leaves out what makes no sense', () => {
    for (const odd of ['section=nowhere&period=ever', 'period=own', 'period=own&since=2026-02-30&until=2026-03-02', 'period=own&since=2026-03-02&until=2026-03-01', 'served=bot&chart=toString', 'see=toString', '%E0%A4%A'])
      expect(writeShown(readShown(odd))).toBe('')
  })

  it('of a file has the days and every filter', () =>
    expect(exportOf('messages', 'xlsx', { since: '2026-11-01', until: '2026-11-02' }, { channel: ['a', 'b'] })).toBe('rows=messages&format=xlsx&since=2026-11-01&until=2026-11-02&channel=a&channel=b'))
})

describe('a question', () => {
  it('of a tile is limited to whom it is about', () => {
    const days = { since: '2026-11-01', until: '2026-11-30' }
    expect(queryOf({ id: 'csat.bot', metric: 'csat', served: 'bot' }, days, { channel: ['sms'] }, 'day').filters).toEqual({ channel: ['sms'], served: ['bot'] })
  })

  it('belongs to a place on the page', () => {
    const query = { metric: 'cited', since: '2026-11-01', until: '2026-11-30', by: 'article', filters: { article: ['k1'], channel: ['sms'] }, top: 3, lowest: false }
    expect(shownFor(query)).toMatchObject({ section: 'knowledge', chart: 'cited', by: 'article', filters: { channel: ['sms'] } })
    expect(shownFor({ ...query, metric: 'unheard' })).toBeNull()
  })

  it('is not asked with a filter that its figure does not know', () => {
    const metric: Metric = { key: 'messages', form: 'count', unit: 'message', group: 'volume', dimensions: ['channel'], better: 0 }
    expect(notKnownBy(metric, { channel: ['sms'], reason: ['other'], team: [] })).toEqual(['reason'])
  })
})

describe('figures', () => {
  it('are written in their form', () => {
    expect(written('share', 0.6435, 'en')).toBe('64.4%')
    expect(written('count', 12345, 'en')).toBe('12,345')
    expect([written('seconds', 200, 'en'), written('seconds', 200, 'zh'), written('seconds', 3600, 'en')]).toEqual(['3 min 20 s', '3 分 20 秒', '1 h'])
    expect([written('milliseconds', 42, 'en'), written('milliseconds', 1250, 'zh')]).toEqual(['42 ms', '1.25 秒'])
    expect([written('points', -12.4, 'en'), written('error', 0.0314, 'en'), written('money', 14, 'zh', 'CNY')]).toEqual(['-12', '0.031', '¥14.00'])
    expect([written('share', null, 'en'), span(0, 'en')]).toEqual(['–', '0 s'])
    expect(interval('share', figure({ low: 0.4, high: 0.8 }), 'en')).toBe('40% – 80%')
  })

  it('are called better or worse only where the change is sure', () => {
    const less = { better: -1 }
    expect([toneOf(less, change(-2, true)), toneOf(less, change(2, true)), toneOf(less, change(2, false)), toneOf(less, change(2, null)), toneOf(less, change(0, false)), toneOf({ better: 0 }, change(2, true)), toneOf(less, null)]).toEqual(['better', 'worse', 'unsure', 'unknown', 'same', 'changed', 'unknown'])
  })

  it('change by points where they are shares, and by percent where they are counts', () => {
    expect(difference('share', change(0.042, true), 'en')).toBe('+4.2 pts')
    expect([difference('count', change(-5, true), 'en'), difference('count', change(5, null, 0), 'en')]).toEqual(['−50%', '+5'])
    expect(difference('seconds', change(-65, true), 'en')).toBe('−1 min 5 s')
    expect(difference('share', change(null, null), 'en')).toBe('')
  })

  it('lead to those that count, and from there to all', () => {
    const share = figure({ value: 0.5, part: 3, whole: 6 })
    expect([partOf('share'), countOf('share', share, 'part'), countOf('share', share, 'all'), partOf('count'), countOf('count', figure({ value: 4 }), 'all')]).toEqual(['part', 3, 6, 'all', 4])
  })

  it('stand side by side, and nothing is a gap where nothing was measured', () => {
    const [one, other] = [answer([['sms', { value: 1 }], ['', { value: 2 }]]), answer([['email', { value: 3 }]])]
    const keys = keysOf([one, other])
    expect(keys).toEqual(['sms', '', 'email'])
    expect([valuesOf(one, 'share', keys), valuesOf(other, 'count', keys)]).toEqual([[1, 2, null], [0, 0, 3]])
  })
})

describe('parts', () => {
  it('of which most was counted come first, and what is not known comes last', () => {
    const found = answer([['sms', { whole: 1 }], ['', { whole: 90 }], ['email', { whole: 3 }]])
    expect(rankedKeys([found], keysOf([found]))).toEqual(['email', 'sms', ''])
  })

  it('of what few people answered are as long as a month', () => {
    const days = daysOf(readShown('period=90d'), '2026-11-18')
    expect([grainOf(days), grainOf(days, 'satisfaction')]).toEqual(['week', 'month'])
  })
})

describe('a chart', () => {
  const colours = { text: '#000', muted: '#555', line: '#ddd', panel: '#fff', font: 'serif', series: SERIES.light }
  const option = optionOf({ kind: 'line', labels: ['<img src=x onerror=alert(1)>'], series: [{ name: 'a', values: [1] }, { name: 'b', values: [null] }], write: String, share: true }, colours)
  it('reads nothing of the data as HTML', () => expect(option.tooltip).toMatchObject({ renderMode: 'richText' }))
  it('tells its lines apart without colours', () => {
    const lines = option.series as { symbol: string; lineStyle: { type: string } }[]
    expect(new Set(lines.map((one) => one.symbol)).size).toBe(2)
    expect(new Set(lines.map((one) => one.lineStyle.type)).size).toBe(2)
  })
})
