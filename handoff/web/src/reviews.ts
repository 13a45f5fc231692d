// Reviews as the staff API gives them out, and what the page makes of them.
import { BASE, get, post } from './api'
import { intentName, i18n } from './i18n'
import { ruleWords, sentencesOf } from './turn_words'
import type { Sentence } from './turn_words'
import type { Citation, TraceBody } from './types'

export interface Both { zh: string; en: string }
export interface Question { key: string; text: Both; form: 'yes_no' | 'scale'; weight: number; critical: boolean; hint: Both }
export interface Card { id: string; version: number; title: Both; serves: 'bot' | 'human' | 'both'; pass_mark: number; sections: { title: Both; questions: Question[] }[] }
export type Answers = Record<string, number | string>
export type ReviewState = 'draft' | 'submitted' | 'disputed' | 'upheld' | 'changed'
export interface ReviewRow {
  id: string; sample_id: string | null; conversation_id: string; subject: 'bot' | 'human'; reviewer_id: string | null; reviewer_name: string | null
  agent_id: string | null; agent_name: string | null; team_id: string | null; calibrates: boolean; state: ReviewState; score: number | null; passed: boolean | null
  created_at: string; submitted_at: string | null; disputed_at: string | null; decided_at: string | null; answers?: Answers
}
export interface Remark { message_id: string; seq: number; text: string }
export interface Review extends ReviewRow {
  card: Card; answers: Answers; comment: string; tags: string[]; notes: Record<string, string>; remarks: Remark[]; failed_by: string[]; revision: number
  dispute: string; disputed_until: string | null; decision: string; decided_by_name: string | null; answers_before: Answers | null; score_before: number | null
}
export interface Sample {
  id: string; title: string; kind: 'random' | 'targeted' | 'calibration'; subject: 'bot' | 'human'; card_id: string; card_version: number
  drawn: { seed: string; each: number; stratum: string; criteria?: { team_id?: string } }; drawn_of: number; created_at: string; by_name: string
  reviewers: { reviewer_id: string; reviewer_name: string; done: number; of: number }[]
}
export interface SampleSeen { sample: Sample; card: Card; reviews: ReviewRow[]; blind: boolean; agreement: { key: string; percent: number | null; alpha: number | null; pairs: number }[] }
export interface Line { by: string; key: string; label: string; reviews: number; mean: number | null; low: number | null; high: number | null; passed: number | null; passed_low: number | null; passed_high: number | null }
export interface Report { subject: 'bot' | 'human'; disputed: number; changed: number; lines: Line[] }
export interface Written { revision: number; answers: Answers; comment: string; tags: string[]; notes: Record<string, string>; remarks: Remark[]; submit: boolean }
export type View = 'mine' | 'about' | 'disputes' | 'all'

const one = (id: string, rest = '') => `reviews/${encodeURIComponent(id)}${rest}`
const ofTeam = (team: string) => (team ? `&team_id=${encodeURIComponent(team)}` : '')
export const reviewsApi = {
  list: (view: View, team: string) => get<{ reviews: ReviewRow[] }>(`reviews?view=${view}${ofTeam(team)}`),
  open: (id: string) => get<{ review: Review }>(one(id)),
  write: (id: string, written: Written) => post<{ review: Review }>(one(id), written),
  toInbox: (id: string, seq: number) => post<void>(one(id, '/inbox'), { seq }),
  dispute: (id: string, reason: string) => post<{ review: Review }>(one(id, '/dispute'), { reason }),
  decide: (id: string, revision: number, reason: string, answers: Answers | null) => post<{ review: Review }>(one(id, '/decide'), { revision, reason, answers }),
  cards: () => get<{ cards: Card[] }>('reviews/cards'),
  saveCard: (card: Omit<Card, 'id' | 'version'> & { id?: string; based_on: number }) => post<{ card: Card }>('reviews/cards', card),
  people: () => get<{ people: { id: string; name: string; role: string }[] }>('reviews/people'),
  samples: () => get<{ samples: Sample[] }>('reviews/samples'),
  sample: (id: string) => get<SampleSeen>(`reviews/samples/${encodeURIComponent(id)}`),
  makeSample: (wish: object) => post<{ sample: Sample }>('reviews/samples', wish),
  preview: (wish: object) => post<{ fitting: number; reviews: number }>('reviews/samples/preview', wish),
  results: (days: number, team: string) => get<{ reports: Report[] }>(`reviews/results?days=${days}${ofTeam(team)}`),
  file: (days: number, team: string) => `${BASE}reviews/results/export?days=${days}${ofTeam(team)}`,
}

/** What the answers add up to so far; the server counts the same. */
export function scoreOf(card: Card, answers: Answers): number | null {
  const questions = card.sections.flatMap((section) => section.questions)
  const given = questions.filter((question) => answers[question.key] !== undefined && answers[question.key] !== 'na')
  const whole = given.reduce((sum, question) => sum + question.weight, 0)
  if (!whole) return null
  if (given.some((question) => question.critical && answers[question.key] === 'no')) return 0
  const sum = given.reduce((total, { key, weight }) => {
    const answer = answers[key]
    return total + weight * (typeof answer === 'number' ? (answer - 1) / 4 : answer === 'yes' ? 1 : 0)
  }, 0)
  return (100 * sum) / whole
}

/** A turn of the bot in plain words of the reader's language; articles are called as its reply cites them. */
export function turnWords(trace: TraceBody, cited: readonly Pick<Citation, 'passage_id' | 'title'>[] = []): string {
  const retrieval = (trace.retrieval ?? []).map((one) => ({ ...one, title: cited.find((it) => it.passage_id === one.passage_id)?.title || one.title }))
  return sentencesOf({ ...trace, retrieval }).map(worded).join(i18n.global.locale.value === 'zh' ? '' : ' ') // Chinese has no space behind a full stop
}

function worded(sentence: Sentence): string {
  const { t, te } = i18n.global
  const slot = (name: string) => (te(`reviews.slots.${name}`) ? t(`reviews.slots.${name}`) : name.replace(/_/g, ' '))
  return t(`reviews.turn.${sentence.key}`, {
    ...sentence,
    intent: sentence.intent ? intentName(sentence.intent) : '',
    slots: (sentence.slots ?? []).map(slot).join(t('reviews.comma')),
    rules: (sentence.rules ?? []).map(ruleName).join(t('reviews.comma')),
    reason: sentence.reason ? (te(`reason.${sentence.reason}`) ? t(`reason.${sentence.reason}`) : sentence.reason) : '',
  })
}

/** A rule of the bot in the reader's language; the name it has in `rules.yml` where there are no words for it. */
export function ruleName(name: string): string {
  const { t, te } = i18n.global
  const words = ruleWords(name, te)
  return t(`reviews.rules.${words.key}`, { name: 'name' in words ? words.name : '', intent: 'intent' in words ? intentName(words.intent) : '' })
}
