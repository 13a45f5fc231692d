// Tests of models and trials as the staff API gives them out, and what the page works out from them.
import { get, post } from './api'
import type { TraceBody } from './types'

export type Language = 'zh' | 'en'
export type SectionName = 'all' | Language
export type MeasureKind = 'test' | 'cross_validate' | 'knowledge'

export interface MeasuringJob {
  id: string; kind: MeasureKind; state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'; model: string | null
  progress: { share: number; step: string; note: string } | null; by: string; created_at: string; ended_at: string | null; problem?: string | null
}
export interface Expect {
  intent?: string; route?: string; language?: Language; entities?: Record<string, string>; actions?: string[]
  article?: string | null; handoff?: string | null; would?: string[]
}
export interface SavedStory { name: string; title: string; language: Language; note: string; messages: { text: string; payload: string | null; expect: Expect }[] }
export interface SavedLine { language: Language; intent: string; text: string }
export interface SavedQuestion { language: Language; text: string; articles: string[] }
export interface MeasuringOverview {
  versions: { name: string; made_at: string; note: string }[]
  live: string | null
  jobs: MeasuringJob[]
  knowledge: { running: boolean; done: number; total: number; failed: string }
  stories: SavedStory[]; lines: SavedLine[]; questions: SavedQuestion[]; problems: string[]; intents: string[]
}

export interface IntentScore { name: string; lines: number; precision: number | null; recall: number; f1: number }
export interface Confusion { intent: string; predicted: string; count: number; lines: { text: string; confidence: number }[] }
export interface Step { from: number; right: number; wrong: number }
export interface Reliability { from: number; lines: number; sure: number; right: number }
export type Decided = Record<'right' | 'wrong' | 'clarified' | 'passed_on', number>
export type Figures = { test: number } & Partial<Record<'accuracy' | 'macro_f1' | 'in_scope_accuracy_at_gate' | 'oos_recall' | 'oos_auroc' | 'ece' | 'parse_p50' | 'parse_p95', number | null>>
export interface Section {
  figures: Figures; intents: IntentScore[]; matrix: { names: string[]; rows: number[][] }; confusions: Confusion[]
  histogram: Step[]; reliability: Reliability[]; decided: { inside: Decided; outside: Decided } | null
  near: { near: number; gate_recall: number; gate_auroc: number } | null; saved?: number
}
export interface WrongLine { text: string; language: Language; origin?: 'set' | 'saved' | 'near'; intent: string; predicted: string; confidence: number; decided?: string }
export interface Scores { precision: number; recall: number; f1: number; value_accuracy: number }
export interface EntityResult { lines: number; expected: number; total: Scores; languages: Record<string, Scores>; types: ({ name: string; expected: number } & Scores)[]; mistakes: string[] }
export interface Seen { failed?: boolean; intent?: string; confidence?: number; route?: string; entities?: Record<string, unknown>; actions?: string[]; article?: string | null; handoff?: string | null; would?: string[]; said?: string }
export interface PlayedStory { name: string; title: string; language: Language; passed: boolean; steps: { says: string; seen: Seen; wrong: { what: string; expected: unknown; got: unknown }[] }[] }
export interface TestResult {
  model: string; set: string; left_out: number; sections: Record<SectionName, Section>; wrong: WrongLine[]
  entities: EntityResult | null; stories: PlayedStory[] | null; problems: string[]
}
export interface CrossResult { model: string; folds: number; examples: number; seconds: { reading: number; all: number }; sections: Record<SectionName, Section>; wrong: WrongLine[]; wrong_in_all: number }
export interface Named { article_id: string; title: string }
export interface KnowledgeResult {
  sections: Record<SectionName, Record<'queries' | 'recall@1' | 'recall@3' | 'gate' | 'answered_recall' | 'answered_precision' | 'refused_recall' | 'search_p50' | 'search_p95', number | null>>
  saved: number; left_out: number; mistakes_in_all: number
  mistakes: { text: string; language: Language; saved: boolean; kind: 'answered' | 'wrong_article' | 'missed' | 'withheld'; score: number; expected: Named[]; came: Named[] }[]
}
export interface Pair { one: number | null; other: number | null; more_is_better?: boolean }
export interface Comparison {
  same_set: boolean; same_thresholds: boolean
  sections: Record<SectionName, { figures: Record<string, Pair>; intents: ({ name: string } & Pair)[] }>
  stories: { name: string; title: string; one: boolean; other: boolean }[]
  only_one_right: WrongLine[] | null; only_other_right: WrongLine[] | null
}
export interface Kept<T> { job: MeasuringJob | null; result: T | null }

export interface TrialTrace extends TraceBody {
  reading?: string; would?: string[]; form?: string | null; slots?: Record<string, unknown>; missed?: boolean; failed?: boolean
  parts?: { text: string; intent: string; confidence: number }[]
  entities?: { entity: string; value: unknown; normalized?: unknown; start?: number; end?: number }[]
}
export interface TrialReply { text: string; buttons: { title: string; payload: string }[]; citations: { passage_id: string; article_id: string; title: string; quote: string; url: string }[]; handoff: string | null }
export interface TrialAnswer { model: string | null; problem?: 'refused' | 'unavailable'; replies?: TrialReply[]; trace?: TrialTrace }
export interface TrialSaid { text: string; payload: string | null }
export interface Limits { answer: number | null; clarify: number | null; retrieval: number | null }

const named = (name: string): string => encodeURIComponent(name)
export const measuringApi = {
  overview: () => get<MeasuringOverview>('model-tests'),
  result: (model: string) => get<Kept<TestResult>>(`model-tests/results/${named(model)}`),
  cross: () => get<Kept<CrossResult>>('model-tests/cross-validation'),
  knowledge: () => get<Kept<KnowledgeResult>>('model-tests/knowledge'),
  compare: (one: string, other: string) => get<Comparison>(`model-tests/compare?one=${named(one)}&other=${named(other)}`),
  run: (kind: 'test' | 'cross_validate', model: string, folds = 3) => post<{ job: MeasuringJob }>('model-tests/run', { kind, model, folds }),
  runKnowledge: () => post<void>('model-tests/knowledge/run-questions'),
  saveStory: (story: { title: string; language: Language; messages: { text: string; payload: string | null; expect: Expect }[]; why: string }) => post<{ story: SavedStory }>('model-tests/stories', story),
  dropStory: (name: string) => post<void>(`model-tests/stories/${named(name)}/delete`),
  saveLine: (line: SavedLine & { why: string }) => post<{ line: SavedLine }>('model-tests/lines', line),
  dropLine: (line: SavedLine) => post<void>('model-tests/lines/delete', line),
  saveQuestion: (question: SavedQuestion & { why: string }) => post<{ question: SavedQuestion }>('model-tests/questions', question),
  dropQuestion: (question: SavedQuestion) => post<void>('model-tests/questions/delete', question),
  say: (language: Language, messages: TrialSaid[], models: (string | null)[], thresholds: Limits | null) => post<{ answers: TrialAnswer[] }>('trials', { language, messages, models, thresholds }),
}

/** A share with one digit: figures of tests differ by less than a percent. */
export const share = (value: number | null | undefined): string => (typeof value === 'number' ? `${(value * 100).toFixed(1)}%` : '–')

export type Sort = 'name' | 'lines' | 'precision' | 'recall' | 'f1'
/** The intents in the wished order; what was never said, and has no precision, comes first among the low ones. */
export function sorted(intents: readonly IntentScore[], by: Sort, down: boolean): IntentScore[] {
  const turn = down ? -1 : 1
  return [...intents].sort((a, b) => (by === 'name' ? turn * a.name.localeCompare(b.name) : turn * ((a[by] ?? -1) - (b[by] ?? -1)) || a.name.localeCompare(b.name)))
}

export interface Cell { row: number; column: number; count: number; share: number }
/** The cells of the matrix that are not empty, each with its share of the row. */
export function cells(matrix: Section['matrix']): Cell[] {
  return matrix.rows.flatMap((row, at) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.flatMap((count, column) => (count ? [{ row: at, column, count, share: count / total }] : []))
  })
}

/** What is expected of an answer, taken from what it was: the parts that mean something to people. */
export function expectOf(answer: TrialAnswer): Expect {
  const { trace, replies } = answer
  if (!trace) return {}
  const entities = Object.fromEntries((trace.entities ?? []).filter((one) => one.entity !== 'question' && typeof one.value === 'string').map((one) => [one.entity, String(one.value)]))
  const article = replies?.flatMap((one) => one.citations)[0]?.article_id
  const handoff = replies?.find((one) => one.handoff)?.handoff
  return {
    ...(trace.intent ? { intent: trace.intent } : {}),
    ...(trace.route ? { route: trace.route } : {}),
    ...(Object.keys(entities).length ? { entities } : {}),
    ...(trace.actions?.length ? { actions: trace.actions } : {}),
    ...(article ? { article } : {}),
    ...(handoff ? { handoff } : {}),
    ...(trace.would?.length ? { would: trace.would } : {}),
  }
}

/** Whether a figure of the first version is better (1), worse (-1) or as good (0). */
export function better({ one, other, more_is_better = true }: Pair): number {
  if (one === null || other === null || one === undefined || other === undefined || Math.abs(one - other) < 0.00005) return 0
  return one > other === more_is_better ? 1 : -1
}

export const isOpen = (job: MeasuringJob): boolean => job.state === 'queued' || job.state === 'running'
