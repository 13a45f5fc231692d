// Versions of the bot's models and the long work for them, as the staff API tells it.
import { get, post } from './api'

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
export interface JobProgress { share: number; step: string; note: string }
export interface JobResult { code?: string; lines?: string[]; model?: string; notes?: string[]; [more: string]: unknown }
export interface Job {
  id: string
  kind: string
  state: JobState
  model: string | null
  progress: JobProgress | null
  attempts: number
  by_id: string
  by: string
  created_at: string
  started_at: string | null
  ended_at: string | null
  options?: Record<string, unknown>
  result?: JobResult | null
  problem?: string | null
}
export interface Figures { test: number; accuracy: number; macro_f1: number; in_scope_accuracy_at_gate: number; oos_recall: number | null; parse_p50: number }
export interface Version {
  name: string
  state: 'ready' | 'gone'
  made_at: string
  by_id: string | null
  by: string | null
  note: string
  bytes: number
  sha256: string
  data_hash: string
  pipeline_hash: string | null
  profile: string | null
  examples: { zh?: number; en?: number } | null
  intents: number | null
  seconds: number | null
  metrics: ({ zh?: Figures; en?: Figures } & Record<string, unknown>) | null
  tracked_as: string | null
  edits_since: number | null
}
export interface VersionPage { versions: Version[]; served: { live: string; candidate: string | null; share: number } | null; tracked: boolean }

export const versionApi = {
  versions: () => get<VersionPage>('models/versions'),
  jobs: (kind: string, limit = 30) => get<{ jobs: Job[] }>(`models/jobs?kind=${kind}&limit=${limit}`),
  job: (id: string) => get<{ job: Job }>(`models/jobs/${encodeURIComponent(id)}`),
  train: (note: string, profile: string) => post<{ job: Job }>('models/jobs', { kind: 'train', note, profile }),
  cancel: (id: string) => post<{ job: Job }>(`models/jobs/${encodeURIComponent(id)}/cancel`),
}

export const isOpen = (job: Job): boolean => job.state === 'queued' || job.state === 'running'

/** How long a job has been at work, or was, in milliseconds. */
export function workedMs(job: Job, now: number): number {
  if (job.started_at === null) return 0
  return Math.max(0, (job.ended_at === null ? now : Date.parse(job.ended_at)) - Date.parse(job.started_at))
}
