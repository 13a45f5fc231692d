// How figures are drawn: the options of a chart, in the colours of the theme.
import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import type { GridComponentOption, LegendComponentOption, TooltipComponentOption } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'

import type { ChartSeries } from './report_figures'

export type ChartOption = ComposeOption<BarSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption>
export interface Drawn { kind: 'line' | 'bar' | 'across'; labels: string[]; series: ChartSeries[]; write: (value: number | null) => string; share?: boolean; whole?: boolean }
export interface Colours { text: string; muted: string; line: string; panel: string; font: string; series: string[] }

/** Four that differ in lightness as well, so that they can be told apart without colours. */
export const SERIES = { light: ['#2f55d4', '#0d7454', '#b06a00', '#b3261e'], dark: ['#8aa2f3', '#7fd6b4', '#f2c27b', '#ff9d94'] }
const STROKES = ['solid', 'dashed', 'dotted', [8, 3, 2, 3]] as const
const SYMBOLS = ['circle', 'diamond', 'triangle', 'rect'] as const

/** Names come from data, so tooltips are drawn as text and never read as HTML. */
export function optionOf(drawn: Drawn, colours: Colours): ChartOption {
  const names = { type: 'category' as const, data: drawn.labels, axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false }, axisLabel: { color: colours.muted, hideOverlap: drawn.kind !== 'across', width: 130, overflow: drawn.kind === 'across' ? ('truncate' as const) : undefined }, inverse: drawn.kind === 'across' }
  const numbers = { type: 'value' as const, min: drawn.share ? 0 : undefined, max: drawn.share ? 1 : undefined, interval: drawn.share ? 0.25 : undefined, minInterval: drawn.whole ? 1 : undefined, splitNumber: 4, splitLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.muted, formatter: (value: number) => drawn.write(value), hideOverlap: true } }
  const across = drawn.kind === 'across'
  return {
    animation: false,
    color: colours.series,
    textStyle: { fontFamily: colours.font, color: colours.text },
    grid: { left: 4, right: across ? 56 : 14, top: drawn.series.length > 1 ? 34 : 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    legend: drawn.series.length > 1 ? { top: 0, left: 0, icon: drawn.kind === 'line' ? undefined : 'roundRect', textStyle: { color: colours.text }, selectedMode: false } : undefined,
    tooltip: { trigger: 'axis', renderMode: 'richText', confine: true, axisPointer: { type: drawn.kind === 'line' ? 'line' : 'shadow' }, backgroundColor: colours.panel, borderColor: colours.line, textStyle: { color: colours.text, fontSize: 12.5 }, valueFormatter: (value) => drawn.write(typeof value === 'number' ? value : null) },
    xAxis: across ? numbers : names,
    yAxis: across ? names : numbers,
    series: drawn.series.map((one, index) =>
      drawn.kind === 'line'
        ? { type: 'line' as const, name: one.name, data: one.values, symbol: SYMBOLS[index % 4], symbolSize: 7, showAllSymbol: true, connectNulls: false, lineStyle: { width: 2, type: STROKES[index % 4] as 'solid' } }
        : { type: 'bar' as const, name: one.name, data: one.values, barMaxWidth: across ? 16 : 34, cursor: 'pointer', itemStyle: { borderRadius: 3 }, label: { show: across, position: 'right' as const, color: colours.text, formatter: ({ value }: { value?: unknown }) => (typeof value === 'number' ? drawn.write(value) : '') } },
    ),
  }
}
