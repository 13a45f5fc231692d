// The staff API, typed. Every write carries the CSRF token; a 401 means that the session has ended.
import type {
  Attachment, BulkAction, Canned, CannedDraft, Colour, Conditions, Contact, Conversation, Customer, DemoSignIn, Duplicate, Episode, Erasure, FilterDraft, ImportReport, Label, Macro, MacroDraft, MacroPreview, MacroRun, MacroVerb, MergedThread, Message, Priority, Order, Presence, PresenceState, PromptDetail, PromptDraft, PromptOverview, PromptTest, PromptVersion, Rating, RatingFilters, RatingReport, SavedFilter, SearchHit, SearchMatch, Session, Sort, Synonym, SynonymDraft, SynonymTrial, Ticket, Trace, View, Views,
  Person, RoutingRule, Team, TeamDraft, TeamsPage, WaitRow,
  AssistLook, AssistReport, BotAnswer, CardUse, OriginalText, PhrasedSuggestion, Translated, Translations,
  HandoffRules, RulesOverview, RulesPreview, RulesVersion,
  Account, AccountsPage, OpenSession, Scope, SignInWays, ApiKey, AuditCheck, AuditExportWish, AuditPage, AuditProof, Enrolment, FactorState, SecondStep,
  ContactMerge, ContactProfile, ContactTicket, MergePreview, Past, SamePerson,
} from './types'
import { changesQuery, type ChangeFilters, type Replay, type ReplayBudget, type ReplayChange, type ReplayGate, type ReplayOverview, type ReplayWish, type Verdict } from './replays'
import type { IntentTitle } from './intent_titles'
import type { LiveChange, LiveModels, LiveWish } from './live_models'
import { mishapQuery, type EntityType, type Gap, type ManyResult, type MishapDecision, type MishapFilters, type MishapPage, type MishapSeen, type MishapSuggestion, type MishapWish } from './mishaps'
import { limitQuery, type Costs, type LimitQuestion, type LimitReport, type LimitVersion, type Limits, type Outcome } from './limits'
import type { AddableChannel, ChannelAccount, LetterChoice, LetterFilter, LetterPage, Trial, Writer } from './channels'

export type ListedConversation = Conversation & { unread?: number; unseen?: { mention?: number; woke?: number }; match?: SearchMatch | null }
export interface ConversationPage { conversations: ListedConversation[]; cursor: string | null }
export interface ConversationDetail {
  may_reveal?: boolean
  conversation: ListedConversation
  contact: Contact | null
  customer: Customer | null
  orders: Order[]
  tickets: Ticket[]
  crm_available: boolean
  past_conversations: Conversation[]
  rating: Rating | null
  episodes?: Episode[]
  agents: Presence[]
  recall_seconds?: number
}
export interface ContactPane {
  may_reveal?: boolean
  contact: ContactProfile
  identity: 'verified' | 'linked' | 'none'
  customer: Customer | null
  orders: Order[]
  tickets: ContactTicket[]
  crm_available: boolean
  together_with: string[]
  telling?: Telling | null
  merges: ContactMerge[]
  conversations: Past[]
  cursor: string | null
}
/** What a contact is told without asking: what they want, where they are not reached, and what they were told last. */
export interface Telling {
  kinds: { kind: string; title: { zh: string; en: string } | null; on: boolean; off_at: string | null; off_by: string | null }[]
  unreachable: string[]
  latest: { id: string; kind: string; title: { zh: string; en: string } | null; state: string; reason: string | null; channel: string | null; at: string }[]
}
export interface TicketDraft { key: string; subject: string; text: string; priority: string; order_number: string | null; contact_point: string; conversation_id: string | null }
export interface TicketChange { key: string; revision: number; status: string | null; priority: string | null; comment: string; conversation_id: string | null }
export type ContactApi = Pick<typeof api, 'contact' | 'contactConversations' | 'editContact' | 'editCustomer'>
export interface MessageSearch { q: string; author: string; channel: string; since: string; until: string }
export interface FoundMessages { hits: SearchHit[]; conversations: Record<string, ListedConversation>; found: number; next_offset: number | null }
export interface FoundPeople extends ConversationPage { customers: Customer[]; crm_available: boolean }
export type BulkResult = { id: string; ok: true; conversation: ListedConversation } | { id: string; ok: false; error: { code: string; message: string; detail?: string } }
export interface Outgoing { client_msg_id: string; text: string; attachment_ids: string[]; read_seq?: number; assist?: CardUse[]; original?: OriginalText }

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly detail = '', readonly about: Record<string, unknown> = {}) {
    super(message)
  }

  /** The server was not reached, so the same request may be sent again. */
  get offline(): boolean {
    return this.status === 0
  }
}

export const BASE = '/staff/api/'
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

async function request<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal, patience?: number): Promise<T> {
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
      signal: AbortSignal.any([AbortSignal.timeout(patience ?? (form ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS)), ...(signal ? [signal] : [])]),
    })
  } catch {
    throw new ApiError(0, 'offline', '')
  }
  const data: unknown = await response.json().catch(() => null)
  if (response.ok) return data as T
  const error = (data as { error?: { code?: string; message?: string; detail?: string | Record<string, unknown> } } | null)?.error
  if (response.status === 401 && !path.startsWith('sign-in')) onUnauthorized()
  const words = typeof error?.detail === 'string' ? error.detail : undefined
  const about = typeof error?.detail === 'object' ? error.detail : undefined
  throw new ApiError(response.status, error?.code ?? String(response.status), error?.message ?? `HTTP ${response.status}`, words, about)
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, undefined, signal)
export const post = <T>(path: string, body: unknown = {}) => request<T>('POST', path, body)
/** A file that is made while it is sent; how long that takes depends on how much there is. */
async function download(path: string, body: unknown): Promise<Blob> {
  let response: Response
  try {
    response = await fetch(BASE + path, { method: 'POST', headers: { 'X-CSRF-Token': csrf, 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'same-origin', cache: 'no-store' })
    if (response.ok) return await response.blob()
  } catch {
    throw new ApiError(0, 'offline', '')
  }
  const { error } = ((await response.json().catch(() => null)) ?? {}) as { error?: { code: string; message: string } }
  if (response.status === 401) onUnauthorized()
  throw new ApiError(response.status, error?.code ?? String(response.status), error?.message ?? `HTTP ${response.status}`)
}

const ratingQuery = (weeks: number, filters: RatingFilters): string => new URLSearchParams({ weeks: String(weeks), ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value)) }).toString()
const of = (id: string, rest = '') => `conversations/${encodeURIComponent(id)}${rest}`

const ofAccount = (channel: string, account: string, rest: string) => `channels/${encodeURIComponent(channel)}/${encodeURIComponent(account)}/${rest}`
const ofContact = (id: string, rest = '') => `contacts/${encodeURIComponent(id)}${rest}`

/** Sends one file; only this kind of request tells how far it is, so that it can be shown and cancelled. */
function uploadFile(file: File, progress: (share: number) => void = () => undefined, signal?: AbortSignal): Promise<{ attachment: Attachment }> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest()
    sending.open('POST', `${BASE}files`)
    sending.timeout = UPLOAD_TIMEOUT_MS
    sending.setRequestHeader('Accept', 'application/json')
    sending.setRequestHeader('X-CSRF-Token', csrf)
    sending.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total)
    sending.onerror = sending.ontimeout = () => reject(new ApiError(0, 'offline', ''))
    sending.onabort = () => reject(new ApiError(0, 'cancelled', ''))
    sending.onload = () => {
      const body = parsed(sending.responseText) as { attachment?: Attachment; error?: { code?: string; message?: string } } | null
      if (sending.status < 300 && body?.attachment) return resolve({ attachment: body.attachment })
      if (sending.status === 401) onUnauthorized()
      reject(new ApiError(sending.status, body?.error?.code ?? String(sending.status), body?.error?.message ?? `HTTP ${sending.status}`))
    }
    signal?.addEventListener('abort', () => sending.abort())
    const form = new FormData()
    form.append('file', file, file.name)
    sending.send(form)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // told by its status
  }
}

export const api = {
  signIn: (email: string, password: string) => post<Session | SecondStep>('sign-in', { email, password }),
  signInCode: (code: string) => post<Session & { recovery_codes_left?: number }>('sign-in/code', { code }),
  secondFactor: () => get<FactorState>('second-factor'),
  beginFactor: (password: string) => post<Enrolment>('second-factor/begin', { password }),
  confirmFactor: (code: string) => post<Session & { recovery_codes: string[] }>('second-factor/confirm', { code }),
  renewCodes: (code: string) => post<{ recovery_codes: string[] }>('second-factor/recovery-codes', { code }),
  removeFactor: (code: string) => post<void>('second-factor/remove', { code }),
  apiKeys: () => get<{ keys: ApiKey[]; scopes: string[] }>('api-keys'),
  addApiKey: (name: string, scopes: string[], expiresDays: number | null) => post<{ key: ApiKey; text: string }>('api-keys', { name, scopes, expires_days: expiresDays }),
  revokeApiKey: (id: string) => post<void>(`api-keys/${encodeURIComponent(id)}/revoke`),
  accounts: () => get<AccountsPage>('staff-accounts'),
  addAccount: (draft: { name: string; email: string; role: string; password: string }) => post<{ account: Account }>('staff-accounts', draft),
  changeAccount: (id: string, change: { name?: string; role?: string; sees?: string; active?: boolean }) => post<{ account: Account }>(`staff-accounts/${encodeURIComponent(id)}`, change),
  setPassword: (id: string, password: string) => post<void>(`staff-accounts/${encodeURIComponent(id)}/password`, { password }),
  endSessions: (id: string) => post<{ ended: number }>(`staff-accounts/${encodeURIComponent(id)}/sessions/end`),
  setSight: (sees: { agents: Scope; supervisors: Scope }) => post<{ sees: AccountsPage['sees'] }>('sight', sees),
  sessions: () => get<{ sessions: OpenSession[] }>('sessions'),
  endOtherSessions: () => post<{ ended: number }>('sessions/end-others'),
  signInWays: () => get<SignInWays>('sign-in/ways'),
  resetFactor: (id: string) => post<void>(`staff-accounts/${encodeURIComponent(id)}/second-factor/reset`),
  signOut: () => post<{ sign_out_at: string | null }>('sign-out'),
  me: () => get<Session>('me'),
  demo: () => get<DemoSignIn[]>('demo'),

  conversations: (view: View, cursor: string | null = null, sort: Sort | null = null) =>
    get<ConversationPage>(`conversations?view=${view}${sort ? `&sort=${sort}` : ''}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`),
  search: (text: string) => get<FoundPeople>(`search?q=${encodeURIComponent(text)}`),
  searchMessages: (wanted: MessageSearch, offset: number) =>
    get<FoundMessages>(`search/messages?${new URLSearchParams({ ...wanted, offset: String(offset) }).toString()}`),
  views: () => get<Views>('views'),
  addFilter: (draft: FilterDraft) => post<{ filter: SavedFilter }>('filters', draft),
  changeFilter: (id: string, draft: FilterDraft) => post<{ filter: SavedFilter }>(`filters/${encodeURIComponent(id)}`, draft),
  deleteFilter: (id: string) => post<void>(`filters/${encodeURIComponent(id)}/delete`),
  orderFilters: (ids: string[]) => post<void>('filters/order', { ids }),
  countConditions: (conditions: Conditions) => post<{ count: number }>('filters/count', { conditions }),
  labels: () => get<{ labels: Label[] }>('labels'),
  addLabel: (title: string, colour: Colour) => post<{ label: Label }>('labels', { title, colour }),
  changeLabel: (label: Label) => post<{ label: Label }>(`labels/${encodeURIComponent(label.id)}`, label),
  setLabels: (id: string, add: string[], remove: string[]) => post<{ conversation: ListedConversation }>(of(id, '/labels'), { add, remove }),
  setPriority: (id: string, level: Priority) => post<{ conversation: ListedConversation }>(of(id, '/priority'), { level }),
  snooze: (id: string, until: string, reason: string) => post<{ conversation: ListedConversation }>(of(id, '/snooze'), { until, reason }),
  wake: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/wake')),
  bulk: (ids: string[], action: BulkAction) => post<{ results: BulkResult[]; done: number; failed: number }>('conversations/bulk', { ids, ...action }),
  duplicates: (id: string) => get<{ duplicates: Duplicate[] }>(of(id, '/duplicates')),
  merged: (id: string) => get<{ threads: MergedThread[] }>(of(id, '/merged')),
  merge: (source: string, into: string) => post<{ conversation: ListedConversation }>(of(source, '/merge'), { into }),
  unmerge: (source: string) => post<{ conversation: ListedConversation }>(of(source, '/unmerge')),
  conversation: (id: string) => get<ConversationDetail>(of(id)),
  messages: (id: string, afterSeq: number) => get<{ messages: Message[] }>(of(id, `/messages?after_seq=${afterSeq}`)),
  traces: (id: string) => get<{ traces: Trace[] }>(of(id, '/traces')),

  accept: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/accept')),
  reply: (id: string, message: Outgoing) => post<{ message: Message }>(of(id, '/reply'), message),
  note: (id: string, message: Outgoing) => post<{ message: Message }>(of(id, '/note'), { client_msg_id: message.client_msg_id, text: message.text }),
  transfer: (id: string, toAgentId: string, note: string, overCapacity = false) =>
    post<{ conversation: ListedConversation }>(of(id, '/transfer'), { to_agent_id: toAgentId, note, over_capacity: overCapacity }),
  transferToTeam: (id: string, toTeamId: string, note: string) =>
    post<{ conversation: ListedConversation }>(of(id, '/transfer'), { to_team_id: toTeamId, note }),
  decline: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/decline')),
  invite: (id: string, agentId: string, note: string) => post<{ conversation: ListedConversation }>(of(id, '/invite'), { agent_id: agentId, note }),
  join: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/join')),
  leave: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/leave')),
  remove: (id: string, agentId: string) => post<{ conversation: ListedConversation }>(of(id, '/remove'), { agent_id: agentId }),
  bargeIn: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/barge-in')),
  takeOver: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/take-over')),
  requeue: (id: string, note: string) => post<{ conversation: ListedConversation }>(of(id, '/requeue'), { note }),
  release: (id: string) => post<{ conversation: ListedConversation }>(of(id, '/release')),
  resolve: (id: string, ask = true) => post<{ conversation: ListedConversation }>(of(id, '/resolve'), { ask }),
  seen: (id: string, seq: number) => post<void>(of(id, '/seen'), { seq }),

  assist: (id: string, signal: AbortSignal) => get<AssistLook>(of(id, '/assist'), signal),
  assistBot: (id: string, signal: AbortSignal) => get<{ bot: BotAnswer | null }>(of(id, '/assist/bot'), signal),
  assistPhrased: (id: string, signal: AbortSignal) => get<{ phrased: PhrasedSuggestion }>(of(id, '/assist/phrased'), signal),
  assistInserted: (id: string, cardId: string) => post<void>(of(id, `/assist/${encodeURIComponent(cardId)}/inserted`)),
  assistRejected: (id: string, cardId: string, reason: string) => post<void>(of(id, `/assist/${encodeURIComponent(cardId)}/rejected`), { reason }),
  assistReport: (days: number) => get<AssistReport>(`assist/report?days=${days}`),
  translations: (id: string) => get<Translations>(of(id, '/translations')),
  translate: (id: string, seq: number, to: string) => post<Translated>(of(id, '/translations'), { seq, to }),
  translateReply: (id: string, text: string, to: string) => post<Translated>(of(id, '/translate-reply'), { text, to }),

  contact: (id: string) => get<ContactPane>(ofContact(id)),
  contactConversations: (id: string, cursor: string) => get<{ conversations: Past[]; cursor: string | null }>(ofContact(id, `/conversations?cursor=${encodeURIComponent(cursor)}`)),
  editContact: (id: string, change: { revision: number; name?: string; language?: string; tier?: string; note?: string }) => post<{ contact: ContactProfile }>(ofContact(id), change),
  editCustomer: (id: string, change: { key: string; revision: number; field: string; value: string }) => post<{ customer: Customer }>(ofContact(id, '/customer'), change),
  findCustomers: (text: string) => get<{ customers: Customer[]; crm_available: boolean }>(`customers?q=${encodeURIComponent(text)}`),
  linkCustomer: (id: string, customerId: string) => post<{ contact: ContactProfile }>(ofContact(id, '/link'), { customer_id: customerId }),
  unlinkCustomer: (id: string) => post<{ contact: ContactProfile }>(ofContact(id, '/unlink')),
  chooseTelling: (id: string, kind: string, on: boolean) => post<{ telling: Telling }>(ofContact(id, '/telling'), { kind, on }),
  openTicket: (id: string, draft: TicketDraft) => post<{ ticket: ContactTicket }>(ofContact(id, '/tickets'), draft),
  updateTicket: (id: string, number: string, change: TicketChange) => post<{ ticket: ContactTicket }>(ofContact(id, `/tickets/${encodeURIComponent(number)}`), change),
  samePerson: (id: string, text: string) => get<{ candidates: SamePerson[]; crm_available: boolean }>(ofContact(id, `/candidates?q=${encodeURIComponent(text)}`)),
  previewContacts: (id: string, sourceId: string) => get<MergePreview>(ofContact(id, `/merge/${encodeURIComponent(sourceId)}`)),
  mergeContacts: (id: string, sourceId: string) => post<{ contact: ContactProfile; merge_id: string }>(ofContact(id, '/merge'), { source_id: sourceId }),
  contactFile: (id: string) => BASE + ofContact(id, '/export'),
  eraseContact: (id: string) => post<{ erasures: Erasure[] }>(ofContact(id, '/erase'), { confirm: 'erase' }),
  erasures: (id: string) => get<{ erasures: Erasure[] }>(ofContact(id, '/erasures')),
  separateContacts: (id: string, mergeId: string) => post<{ contact: ContactProfile }>(ofContact(id, '/separate'), { merge_id: mergeId }),

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

  canned: () => get<{ canned: Canned[]; variables: string[] }>('canned'),
  addCanned: (draft: CannedDraft) => post<{ canned: Canned }>('canned', draft),
  changeCanned: (id: string, draft: CannedDraft) => post<{ canned: Canned }>(`canned/${encodeURIComponent(id)}`, draft),
  deleteCanned: (id: string) => post<void>(`canned/${encodeURIComponent(id)}/delete`),
  fillCanned: (conversationId: string, id: string) => post<{ text: string; unfilled: string[] }>(of(conversationId, `/canned/${encodeURIComponent(id)}`)),
  importCanned: (file: File, shared: boolean) => {
    const form = new FormData()
    form.append('shared', String(shared))
    form.append('file', file, file.name)
    return post<ImportReport>('canned/import', form)
  },
  cannedFile: (shared: boolean) => `${BASE}canned/export?shared=${shared}`,
  macros: () => get<{ macros: Macro[]; verbs: MacroVerb[] }>('macros'),
  addMacro: (draft: MacroDraft) => post<{ macro: Macro }>('macros', draft),
  changeMacro: (id: string, draft: MacroDraft) => post<{ macro: Macro }>(`macros/${encodeURIComponent(id)}`, draft),
  deleteMacro: (id: string) => post<void>(`macros/${encodeURIComponent(id)}/delete`),
  previewMacro: (conversationId: string, id: string) => get<{ steps: MacroPreview[] }>(of(conversationId, `/macros/${encodeURIComponent(id)}`)),
  runMacro: (conversationId: string, id: string, runId: string) => post<MacroRun>(of(conversationId, `/macros/${encodeURIComponent(id)}`), { run_id: runId }),
  revealMessage: (id: string, seq: number) => post<{ text: string }>(of(id, '/reveal'), { seq }),
  revealField: (contactId: string, field: string) => post<{ text: string }>(`contacts/${encodeURIComponent(contactId)}/reveal`, { field }),
  recall: (id: string, seq: number) => post<{ message: Message; effect: string }>(of(id, '/recall'), { seq }),
  teams: () => get<TeamsPage>('teams'),
  saveTeam: (id: string | null, draft: TeamDraft) => post<{ team: Team }>(id === null ? 'teams' : `teams/${encodeURIComponent(id)}`, draft),
  deleteTeam: (id: string) => post<void>(`teams/${encodeURIComponent(id)}/delete`),
  saveRules: (rules: RoutingRule[]) => post<{ rules: RoutingRule[] }>('teams/rules', { rules }),
  savePerson: (id: string, can: Pick<Person, 'languages' | 'skills' | 'capacity'>) => post<{ person: Person }>(`teams/people/${encodeURIComponent(id)}`, can),
  ratings: (weeks: number, filters: RatingFilters) => get<RatingReport>(`reports/ratings?${ratingQuery(weeks, filters)}`),
  ratingsFile: (weeks: number, filters: RatingFilters, part: 'figures' | 'comments') => `${BASE}reports/ratings/export?${ratingQuery(weeks, filters)}&part=${part}`,
  waits: (days: number) => get<{ rows: WaitRow[] }>(`reports/waits?days=${days}`),
  channels: () => get<{ accounts: ChannelAccount[]; now: string }>('channels'),
  addableChannels: () => get<{ channels: AddableChannel[] }>('channels/available'),
  channelWriters: (channel: string, account: string) => get<{ contacts: Writer[] }>(ofAccount(channel, account, 'contacts')),
  checkChannel: (channel: string, account: string) => post<Trial>(ofAccount(channel, account, 'check')),
  testChannel: (channel: string, account: string, to: string, text: string) => post<Trial>(ofAccount(channel, account, 'test'), { to, text }),
  deliveries: (filter: LetterFilter, before: number | null) => get<LetterPage>(`deliveries?${new URLSearchParams({ ...filter, ...(before === null ? {} : { before: String(before) }) }).toString()}`),
  replayDeliveries: (which: { ids: string[] } | { all: LetterChoice }) => post<{ done: number; after: number | null }>('deliveries/replay', which),
  discardDeliveries: (which: { ids: string[] } | { all: LetterChoice }, reason: string) => post<{ done: number; after: number | null }>('deliveries/discard', { ...which, reason }),

  handoffRules: () => get<RulesOverview>('handoff-rules'),
  saveHandoffRules: (rules: HandoffRules, basedOn: number, note: string) =>
    post<{ version: RulesVersion; rules: HandoffRules }>('handoff-rules', { rules, based_on: basedOn, note }),
  previewHandoffRules: (rules: HandoffRules, days: number) => post<RulesPreview>('handoff-rules/preview', { rules, days }),

  mishaps: (filters: MishapFilters, offset = 0) => get<MishapPage>(`learning/inbox?${mishapQuery(filters, offset)}`),
  mishap: (id: string) => get<MishapSeen>(`learning/inbox/groups/${encodeURIComponent(id)}`),
  mishapSuggestions: (id: string) => get<{ suggestions: MishapSuggestion[] }>(`learning/inbox/groups/${encodeURIComponent(id)}/suggestions`),
  mishapIntents: () => get<{ intents: string[]; titles: IntentTitle[]; entities: EntityType[] }>('learning/inbox/intents'),
  decideMishap: (id: string, wish: MishapWish) => post<{ decision: MishapDecision }>(`learning/inbox/groups/${encodeURIComponent(id)}/decide`, wish),
  decideMishaps: (kind: string, groups: { id: string; revision: number; upto: number }[]) => post<{ results: ManyResult[] }>('learning/inbox/decide', { kind, groups }),
  undoMishap: (id: string) => post<{ decision: MishapDecision }>(`learning/inbox/decisions/${encodeURIComponent(id)}/undo`),
  liveModels: () => get<LiveModels>('models/live'),
  /** Every bot loads the version first, which takes its time. */
  changeLive: (what: LiveChange, wish: LiveWish) => request<LiveModels>('POST', `models/live/${what}`, wish, undefined, UPLOAD_TIMEOUT_MS),
  limits: (asked: LimitQuestion) => get<LimitReport>(`learning/limits?${limitQuery(asked)}`),
  limitOutcome: (asked: LimitQuestion, tried: Limits) => get<{ outcome: Outcome }>(`learning/limits/outcome?${limitQuery(asked, tried)}`),
  limitVersions: () => get<{ versions: LimitVersion[] }>('learning/limits/versions'),
  applyLimits: (basedOn: number, limits: Record<string, Limits>, why: string, costs: Costs) => post<{ version: LimitVersion }>('learning/limits', { based_on: basedOn, limits, why, costs }),
  restoreLimits: (version: number, basedOn: number, why: string) => post<{ version: LimitVersion }>(`learning/limits/versions/${version}/restore`, { based_on: basedOn, why }),
  checkLimits: () => post<{ begun: boolean }>('learning/limits/check'),

  gaps: () => get<{ gaps: Gap[] }>('learning/inbox/gaps'),

  replays: () => get<ReplayOverview>('learning/replays'),
  startReplay: (wish: ReplayWish) => post<{ replay: Replay }>('learning/replays', wish),
  replay: (id: string) => get<{ replay: Replay; gate: ReplayGate }>(`learning/replays/${encodeURIComponent(id)}`),
  cancelReplay: (id: string) => post<{ replay: Replay }>(`learning/replays/${encodeURIComponent(id)}/cancel`),
  replayChanges: (id: string, filters: ChangeFilters, offset = 0) => get<{ changes: ReplayChange[]; total: number }>(`learning/replays/${encodeURIComponent(id)}/changes?${changesQuery(filters, offset)}`),
  nextChange: (id: string) => post<{ change: ReplayChange | null }>(`learning/replays/${encodeURIComponent(id)}/next`),
  judgeChange: (id: string, turnId: string, verdict: Verdict) => post<{ replay: Replay; gate: ReplayGate }>(`learning/replays/${encodeURIComponent(id)}/changes/${encodeURIComponent(turnId)}/judge`, { verdict }),
  unjudgeChange: (id: string, turnId: string) => post<{ replay: Replay; gate: ReplayGate }>(`learning/replays/${encodeURIComponent(id)}/changes/${encodeURIComponent(turnId)}/undo`),
  replayBudget: (budget: Omit<ReplayBudget, 'by_name'>) => post<{ budget: ReplayBudget }>('learning/replays/budget', budget),

  auditEntries: (before: number | null, wanted: Record<string, string>) => {
    const asked: Record<string, string> = { ...Object.fromEntries(Object.entries(wanted).filter((one) => one[1])), ...(before ? { before: String(before) } : {}) }
    return asked.words ? post<AuditPage>('audit/search', asked) : get<AuditPage>(`audit?${new URLSearchParams(asked)}`)
  },
  verifyAudit: () => post<AuditCheck>('audit/verify'),
  auditCheck: () => get<AuditCheck>('audit/verify'),
  auditKey: () => get<{ fingerprint: string }>('audit/key'),
  auditProof: (n: number) => get<AuditProof>(`audit/entries/${n}`),
  turnProof: (conversationId: string, turnId: string) => get<AuditProof>(`audit/turns/${encodeURIComponent(turnId)}?conversation_id=${encodeURIComponent(conversationId)}`),
  auditExport: (wish: AuditExportWish) => download('audit/export', wish),

  presence: () => get<{ state: PresenceState; agents: Presence[] }>('presence'),
  setPresence: (state: PresenceState) => post<{ state: PresenceState }>('presence', { state }),
  upload: uploadFile,
}
