// What the reports can be asked and what they answer, as the server gives it out.
import { BASE, get, post } from './api'

export type Form = 'count' | 'share' | 'seconds' | 'points' | 'money' | 'milliseconds' | 'error'
export type Unit = 'conversation' | 'message' | 'turn' | 'episode' | 'wait' | 'citation'
export interface Metric { key: string; form: Form; unit: Unit; group: string; dimensions: string[]; better: number }
export interface Costs { human_per_conversation: number; bot_per_conversation: number; currency: string }
export interface Catalogue { metrics: Metric[]; dimensions: string[]; times: string[]; labels: Record<string, Record<string, string>>; cost: Costs; time_zone: string }

export type Filters = Record<string, string[]>
export interface Query { metric: string; since: string; until: string; by: string | null; filters: Filters; top: number | null; lowest: boolean }
export interface Figure { value: number | null; part: number | null; whole: number | null; low: number | null; high: number | null; tail: number | null }
export interface Row { key: string; label: string | null; figure: Figure }
export interface Change { previous: Figure; difference: number | null; significant: boolean | null; p: number | null }
export interface Answer { query: Query; total: Figure; rows: Row[]; other: Figure | null; change: Change | null; hidden: string | null }
export interface Refused { error: { code: string; message: string; detail?: string } }
export interface Answers { answers: (Answer | Refused)[]; behind: number }

export type Part = 'all' | 'part'
export interface UnitQuestion { query: Query; key: string | null; part: Part; offset: number; limit: number }
export interface CountedUnit {
  conversation_id: string; seq?: number | null; at: string; channel: string; language: string; intent: string; team: string; agent: string
  team_name?: string; agent_name?: string; status: string; contact_id: string; contact_name: string | null; value: number | null
}
export interface Units { total: number; units: CountedUnit[] }

/** How a question in one's own words was understood; without a query, what can be asked instead. */
export interface Asked { query: Query | null; code?: string | null; explained: { kind: string; key: string; said: string; dimension: string }[]; unknown: string[]; possible: string[] }

export const isAnswer = (one: Answer | Refused | undefined): one is Answer => one !== undefined && 'total' in one

export const reportApi = {
  catalogue: () => get<Catalogue>('reports/catalogue'),
  figures: (queries: Query[], compare: boolean) => post<Answers>('reports/figures', { queries, compare }),
  units: (question: UnitQuestion) => post<Units>('reports/units', question),
  saveCost: (costs: Costs) => post<Costs>('reports/cost', costs),
  ask: (text: string, language: string) => post<Asked>('reports/ask', { text, language }),
  file: (asked: string) => `${BASE}reports/export?${asked}`,
}
