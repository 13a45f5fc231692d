// Articles and gaps as the staff API gives them out, and where in their page one is.
import { ref } from 'vue'

import { ApiError, get, post } from './api'
import { i18n } from './i18n'

export type Language = 'zh' | 'en'
export const LANGUAGES: readonly Language[] = ['zh', 'en']
export type ArticleState = 'draft' | 'published' | 'archived'
export const FLAGS = ['stale', 'contradicting', 'unused', 'ahead', 'one_language'] as const
export type Flag = (typeof FLAGS)[number]
export type StaleReason = 'expired' | 'ends_soon' | 'unreviewed' | 'past_date' | 'disliked'

export interface Article {
  id: string; language: Language; title: string; body: string; questions: string[]; tags: string[]; audience: string[]
  valid_from: string | null; valid_until: string | null; replaced_by: string | null; updated?: string | null
}
export interface ArticleUse {
  by_bot: number; by_agents: number; parts: number; handed_off: number; handed_off_share: number | null
  rated: number; mean_score: number | null; low: number; unsolved: number; disliked: number; last_at: string | null
}
export interface ArticleRow {
  id: string; language: Language; title: string; tags: string[]; audience: string[]; valid_from: string | null; valid_until: string | null
  state: ArticleState; ahead: boolean; origin: 'desk' | 'file' | 'upload' | 'gap'; edited: boolean; updated_at: string | null; updated_by: string | null; updated: string | null
  stale: StaleReason[]; contradicting: number; usage: ArticleUse
}
export interface ArticlesPage { articles: ArticleRow[]; total: number; counts: Partial<Record<ArticleState | Flag, number>>; looking: boolean; audiences: string[]; days: number }
export interface Kept { id: string; language: Language; revision: number; live: number | null; archived: boolean; origin: ArticleRow['origin']; source: string; updated_at: string; updated_by: string; reviewed_at: string; published_at: string | null; state: ArticleState; ahead: boolean }
export interface Version { revision: number; reason: string; at: string; by_name: string; restores: number | null }
export interface OpenedLanguage { language: Language; article: Article; live: Article | null; kept: Kept | null; versions: Version[]; stale: StaleReason[]; usage: ArticleUse | null }
export interface OpenedArticle { id: string; languages: OpenedLanguage[]; time_zone: string }
export interface ArticleChange { kept: Kept; article: Article; version: Version; indexed: boolean }
export interface Difference { old: Version; new: Version; lines: { kind: 'kept' | 'gone' | 'new'; text: string }[]; fields: { field: string; old: unknown; new: unknown }[] }
export interface Problem { code: string; detail: string; stops: boolean }
export interface Preview { article: Article; passages: { anchor: string; headings: string[]; text: string }[]; problems: Problem[]; ready: boolean }
export interface Upload { name: string; articles: Preview[]; beyond: number; most: number }
export interface Trial {
  language: Language; understood: string; gate: number; audiences: string[]
  candidates: { article_id: string; language: Language; title: string; headings: string[]; text: string; url: string; probability: number; standing: number; steps: Record<string, number>; drafted: boolean; reaches: boolean }[]
  answer: { text: string; title: string; article_id: string } | null
  asked_back: string[]
}
export interface Answered { message_id: string; conversation_id: string; seq: number; at: string; language: Language; score: number | null; handed_off: boolean; disliked: boolean; text: string }
export interface Contradiction { pair: string; kind: 'number' | 'opposite'; nearness: number; sides: { article_id: string; language: Language; title: string; text: string; marks: [number, number][] }[] }
export type GapState = 'open' | 'answered' | 'rejected'
export interface GapDecision { id: string; kind: 'article' | 'merged' | 'rejected' | 'again'; article_id: string | null; language: Language | null; contacts: number; reason: string; at: string; by_name: string }
export interface KnowledgeGap {
  id: string; text: string; state: GapState; contacts: number; messages: number; handoffs: number; mean_rating: number | null; rated: number
  by_language: Partial<Record<Language, number>>; by_reason: Record<string, number>; first_at: string; last_at: string; decisions: GapDecision[]
}
export interface GapDraft { language: Language; question: string; wordings: string[]; answer: string; sources: { text: string; conversation_ids: string[] }[] }
export interface Effect { questions: number; answered: number; otherwise: number; again_messages: number; again_contacts: number }
export interface OpenedGap {
  gap: KnowledgeGap; drafts: GapDraft[]; agents_said: number; effect: Effect | null
  near: { article_id: string; language: Language; title: string; probability: number; reaches: boolean }[]
  asked: { message_id: string; conversation_id: string; seq: number; at: string; language: Language; channel: string; rating: number | null; handed_off: boolean; text: string }[]
}
export interface GapMade { decision: GapDecision; article_id: string; language: Language; published: boolean; effect: Effect | null }

const one = (id: string, language: Language, rest = '') => `knowledge/articles/${encodeURIComponent(id)}/${language}${rest}`
const gap = (id: string, rest = '') => `learning/gaps/${encodeURIComponent(id)}${rest}`

export const knowledgeApi = {
  list: (query: Record<string, string>) => get<ArticlesPage>(`knowledge/articles?${new URLSearchParams(Object.entries(query).filter((entry) => entry[1])).toString()}`),
  open: (id: string) => get<OpenedArticle>(`knowledge/articles/${encodeURIComponent(id)}`),
  create: (article: Article, publish: boolean) => post<ArticleChange>('knowledge/articles', { article, publish }),
  save: (article: Article, revision: number, reason: string, publish: boolean) => post<ArticleChange>(one(article.id, article.language), { article, revision, reason, publish }),
  act: (id: string, language: Language, verb: 'publish' | 'unpublish' | 'archive', revision: number) => post<ArticleChange>(one(id, language, `/${verb}`), { revision }),
  restore: (id: string, language: Language, revision: number, to: number) => post<ArticleChange>(one(id, language, '/restore'), { revision, to }),
  takeOver: (id: string, language: Language) => post<ArticleChange>(one(id, language, '/take-over')),
  reviewed: (id: string, language: Language) => post<ArticleChange>(one(id, language, '/reviewed')),
  difference: (id: string, language: Language, old: number, now: number) => get<Difference>(one(id, language, `/diff?old=${old}&new=${now}`)),
  preview: (article: Article, fresh: boolean) => post<Preview>('knowledge/preview', { article, new: fresh }),
  upload: (file: File) => {
    const form = new FormData()
    form.append('file', file, file.name)
    return post<Upload>('knowledge/upload', form)
  },
  take: (source: string, articles: Article[]) => post<{ results: { id: string; ok: boolean; code?: string }[] }>('knowledge/drafts', { source, articles }),
  test: (text: string, language: Language | null, audiences: string[], draft: Article | null) => post<Trial>('knowledge/test', { text, language, audiences, draft }),
  questions: (id: string, language: Language) => get<{ usage: ArticleUse; questions: Answered[] }>(`learning/articles/${encodeURIComponent(id)}/${language}`),
  health: () => get<{ contradictions: Contradiction[]; looking: boolean }>('knowledge/health'),
  agree: (pair: string, agrees: boolean) => post<void>('knowledge/agreements', { pair, agrees }),
  gaps: (state: GapState, days: number) => get<{ gaps: KnowledgeGap[]; counts: Record<GapState, number>; comes_back_after: number }>(`learning/gaps?state=${state}&days=${days}`),
  gap: (id: string) => get<OpenedGap>(gap(id)),
  approve: (id: string, article: Article, publish: boolean, seen: string | null) => post<GapMade>(gap(id, '/approve'), { article, publish, seen }),
  merge: (id: string, article: Article, revision: number, publish: boolean, seen: string | null) => post<GapMade>(gap(id, '/merge'), { article, revision, publish, seen }),
  reject: (id: string, reason: string, seen: string | null, again = false) => post<{ decision: GapDecision }>(gap(id, '/reject'), { reason, seen, again }),
}

export type KnowledgeTab = 'articles' | 'gaps' | 'contradictions' | 'test'
/** The tab that is open, also for whoever sends somebody here. */
export const knowledgeTab = ref<KnowledgeTab>('articles')
/** The article that is open: kept while one looks at another page. */
export const openArticle = ref<{ id: string; language: Language } | null>(null)

export function showArticle(id: string, language: Language): void {
  knowledgeTab.value = 'articles'
  openArticle.value = { id, language }
}

export function knowledgeRefusal(failure: unknown): string {
  const { t, te } = i18n.global
  if (!(failure instanceof ApiError) || failure.offline) return t('app.unreachable')
  const about = failure.about as Record<string, string | number>
  const unreadable = `knowledge.unreadable.${about.reason}`
  if (failure.code === 'unreadable_file') return t('knowledge.refused.unreadable_file', { detail: about.reason && te(unreadable) ? t(unreadable, about) : about.problem })
  const known = `knowledge.refused.${failure.code}`
  return te(known) ? t(known, { detail: failure.detail }) : failure.message
}

export const blank = (language: Language): Article => ({ id: '', language, title: '', body: '', questions: [], tags: [], audience: ['customer'], valid_from: null, valid_until: null, replaced_by: null })

/** Bytes of a file that may be sent: the service hangs up on more, and nobody would read why. */
export const LARGEST_UPLOAD_MIB = 10

/** An id made of a title, for those who do not want to think of one. */
export function idFor(title: string): string {
  const words = title.normalize('NFKC').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.join('-').slice(0, 60).replace(/-+$/, '')
}
