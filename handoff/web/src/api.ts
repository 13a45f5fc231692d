// The staff API, typed. Every write carries the CSRF token; a 401 means that the session has ended.
import type {
  Attachment, Contact, Conversation, Customer, DemoSignIn, Message, Order, Presence, PresenceState, PromptDetail, PromptDraft, PromptOverview, PromptTest, PromptVersion, Rating, HandoffRules, RulesOverview, RulesPreview, RulesVersion, Session, Synonym, SynonymDraft, SynonymTrial, Ticket, Trace, View,
} from './types'

export type ListedConversation = Conversation & { unread?: number; match?: { seq: number; snippet: string } | null }
export interface ConversationPage { conversations: ListedConversation[]; cursor: string | null }
export interface ConversationDetail {
  conversation: ListedConversation
  contact: Contact | null
  customer: Customer | null
  orders: Order[]
  tickets: Ticket[]
  crm_available: boolean
  past_conversations: Conversation[]
  rating: Rating | null
  agents: Presence[]
}
export interface Outgoing { client_msg_id: string; text: string; attachment_ids: string[] }

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly detail = '') {
    super(message)
  }

  /** The server was not reached, so the same request may be sent again. */
  get offline(): boolean {
    return this.status === 0
  }
}

const BASE = '/staff/api/'
const TIMEOUT_MS = 20_000
const UPLOAD_TIMEOUT_MS = 120_000
let csrf = ''
let onUnauthorized: () => void = () => undefined

export function useCsrf(token: string): void {
  csrf = token
}

export function onSessionEnd(handler: () => void): void {
  onUnauthorized = handler
}

async function request<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const form = body instanceof FormData
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method === 'POST') headers['X-CSRF-Token'] = csrf
  if (body !== undefined && !form) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: form ? body : body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(form ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS),
    })
  } catch {
    throw new ApiError(0, 'offline', '')
  }
  const data: unknown = await response.json().catch(() => null)
  if (response.ok) return data as T
  const error = (data as { error?: { code?: string; message?: string; detail?: string } } | null)?.error
  if (response.status === 401 && path !== 'sign-in') onUnauthorized()
  throw new ApiError(response.status, error?.code ?? String(response.status), error?.message ?? `HTTP ${response.status}`, error?.detail)
}

const get = <T>(path: string) => request<T>('GET', path)
const post = <T>(path: string, body: unknown = {}) => request<T>('POST', path, body)
const of = (id: string, rest = '') => `conversations/${encodeURIComponent(id)}${rest}`

export const api = {
  signIn: (email: string, password: string) => post<Session>('sign-in', { email, password }),
  signOut: () => post<void>('sign-out'),
  me: () => get<Session>('me'),
  demo: () => get<DemoSignIn[]>('demo'),

  conversations: (view: View, cursor: string | null = null) =>
    get<ConversationPage>(`conversations?view=${view}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`),
  search: (text: string) => get<ConversationPage>(`search?q=${encodeURIComponent(text)}`),
  conversation: (id: string) => get<ConversationDetail>(of(id)),
  messages: (id: string, afterSeq: number) => get<{ messages: Message[] }>(of(id, `/messages?after_seq=${afterSeq}`)),
  traces: (id: string) => get<{ traces: Trace[] }>(of(id, '/traces')),

  accept: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/accept')),
  reply: (id: string, message: Outgoing) => post<{ message: Message }>(of(id, '/reply'), message),
  note: (id: string, message: Outgoing) => post<{ message: Message }>(of(id, '/note'), { client_msg_id: message.client_msg_id, text: message.text }),
  transfer: (id: string, toAgentId: string, note: string) =>
    post<{ conversation: ListedConversation }>(of(id, '/transfer'), { to_agent_id: toAgentId, note }),
  requeue: (id: string, note: string) => post<{ conversation: ListedConversation }>(of(id, '/requeue'), { note }),
  release: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/release')),
  resolve: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/resolve')),
  seen: (id: string, seq: number) => post<void>(of(id, '/seen'), { seq }),

  prompts: () => get<PromptOverview>('prompts'),
  prompt: (name: string) => get<{ prompt: PromptDetail }>(`prompts/${encodeURIComponent(name)}`),
  savePrompt: (name: string, draft: PromptDraft & { note: string }) => post<{ version: PromptVersion }>(`prompts/${encodeURIComponent(name)}/versions`, draft),
  activatePrompt: (name: string, version: number) => post<void>(`prompts/${encodeURIComponent(name)}/activate`, { version }),
  testPrompt: (name: string, draft: PromptDraft & { question: string }) => post<PromptTest>(`prompts/${encodeURIComponent(name)}/test`, draft),
  synonyms: (text: string) => get<{ synonyms: Synonym[]; total: number }>(`synonyms?q=${encodeURIComponent(text)}`),
  addSynonym: (draft: SynonymDraft) => post<{ synonym: Synonym }>('synonyms', draft),
  changeSynonym: (id: string, draft: SynonymDraft) => post<{ synonym: Synonym }>(`synonyms/${encodeURIComponent(id)}`, draft),
  deleteSynonym: (id: string) => post<void>(`synonyms/${encodeURIComponent(id)}/delete`),
  trySynonyms: (text: string, draft: SynonymDraft | null, replaces: string | null) =>
    post<SynonymTrial>('synonyms/test', { text, draft, replaces }),

  handoffRules: () => get<RulesOverview>('handoff-rules'),
  saveHandoffRules: (rules: HandoffRules, basedOn: number, note: string) =>
    post<{ version: RulesVersion; rules: HandoffRules }>('handoff-rules', { rules, based_on: basedOn, note }),
  previewHandoffRules: (rules: HandoffRules, days: number) => post<RulesPreview>('handoff-rules/preview', { rules, days }),

  presence: () => get<{ state: PresenceState; agents: Presence[] }>('presence'),
  setPresence: (state: PresenceState) => post<{ state: PresenceState }>('presence', { state }),
  upload: (file: File) => {
    const form = new FormData()
    form.append('file', file, file.name)
    return post<{ attachment: Attachment }>('files', form)
  },
}
