// Digests of the reports as the server gives them out.
import { get, post } from './api'

export const RHYTHMS = ['daily', 'weekly', 'monthly'] as const
export const WAYS = ['email', 'webhook'] as const
export interface Sending { id: string; address: string; since: string; until: string; state: 'waiting' | 'sent' | 'dead'; attempts: number; error: string | null; created_at: string; due_at: string; sent_at: string | null }
export interface DigestDraft {
  name: string; rhythm: (typeof RHYTHMS)[number]; day: number; clock: string; language: 'zh' | 'en'
  metrics: string[]; way: (typeof WAYS)[number]; addresses: string[]; active: boolean
}
export interface Digest extends DigestDraft { id: string; revision: number; next_at: string | null; by_name: string; at: string; sendings: Sending[] }
export interface DigestPage { digests: Digest[]; mails: boolean; may_change: boolean; secret: string | null }
export interface DigestPreview { subject: string; text: string; html: string; body: string | null }

const path = (id: string) => `reports/digests/${encodeURIComponent(id)}`
export const digestApi = {
  list: () => get<DigestPage>('reports/digests'),
  save: (id: string | null, draft: DigestDraft, revision: number) => post<{ digest: Digest }>(id ? path(id) : 'reports/digests', { ...draft, based_on: revision }),
  preview: (draft: DigestDraft) => post<DigestPreview>('reports/digests/preview', draft),
  send: (id: string) => post<{ digest: Digest }>(`${path(id)}/send`),
  remove: (id: string) => post<{ deleted: boolean }>(`${path(id)}/delete`),
}
