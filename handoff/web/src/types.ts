// The JSON the staff API speaks; field names are the server's.

export type Role = 'agent' | 'trainer' | 'supervisor' | 'admin' | 'auditor'
export type Status = 'bot' | 'queued' | 'assigned' | 'resolved'
export type BuiltInView = 'mine' | 'queued' | 'team' | 'bot' | 'all' | 'snoozed' | 'mentions' | 'resolved'
export type View = BuiltInView | `filter:${string}`
export type Author = 'contact' | 'bot' | 'agent' | 'system'
export type MessageKind = 'text' | 'note' | 'activity' | 'rating_request'
export type PresenceState = 'online' | 'away' | 'offline'

/** An entry of the audit trail; what it says of a contact stays sealed. */
export interface AuditEntry { n: number; at: string; kind: string; actor: string; actor_name: string | null; conversation_id: string | null; contact_id: string | null; data: Record<string, unknown>; sealed: boolean; hash: string }
export interface AuditPage { entries: AuditEntry[]; next: number | null; looked: { down_to: number; at: string | null }; people: { actor: string; name: string }[] }
export interface AuditNeighbour { n: number; state: 'fits' | 'changed' | 'missing' | 'unlinked'; kind?: string; actor?: string; at?: string }
export interface AuditVerdict { result: 'sound' | 'broken' | 'truncated'; entries: number; first_bad: number | null; message: string; around: AuditNeighbour[] }
export type AuditCheck = AuditVerdict | { result: 'running'; read: number; of: number }
export interface AuditStep { n: number; canonical: string; hash: string }
export interface AuditProof extends AuditStep {
  entry: AuditEntry; previous: string; computed: string; public_key: string | null; path: AuditStep[]
  checkpoint: { n: number; hash: string; signed_at: string; signature: string; signed_text: string; signed: boolean; fits: boolean; leads: boolean | null } | null
  compared: { field: string; state: 'same' | 'differs' | 'erased' | 'gone' | 'broken'; trail: unknown; now: unknown }[]
}
export interface AuditExportWish { conversation_id?: string; since?: string; until?: string; linked: boolean; opened: boolean; reason: string }
export interface Staff { id: string; name: string; email: string; role: Role }
/** `enrol`: the role needs a second factor and there is none yet, so nothing else works. */
export interface Session { staff: Staff; csrf: string; stage: 'open' | 'enrol'; way: 'password' | 'provider' }
export interface SecondStep { stage: 'code' }
export interface FactorState { since: string | null; required: boolean; codes_left: number }
export interface Enrolment { secret: string; uri: string; picture: string }
export interface ApiKey { id: string; name: string; begins_with: string; scopes: string[]; state: 'works' | 'revoked' | 'expired'; created_at: string; created_by: string; expires_at: string | null; last_used_at: string | null }
export type Scope = 'everything' | 'team' | 'own'
export interface Account { id: string; name: string; email: string; role: Role; active: boolean; sees: Scope | null; scope: Scope; narrowed: boolean; second_factor_since: string | null; second_factor_required: boolean; sessions: number; last_seen_at: string | null }
export interface AccountsPage { accounts: Account[]; sees: { agents: Scope; supervisors: Scope }; needs_password: boolean }
export interface OpenSession { current: boolean; since: string; last_seen_at: string; until: string; way: 'password' | 'provider'; ip: string; browser: string; stage: string }
export interface SignInWays { password: boolean; provider: { zh: string; en: string } | null }
export interface DemoSignIn { role: Role; email: string; password: string; name?: string }

export interface Attachment { id: string; name: string; media_type: string; size: number; url?: string }
export interface Button { id: string; title: string }
export interface Citation { passage_id: string; article_id: string; title: string; quote: string; url: string }

/** By field: where masks stand in its words, in code points, and what kind each hides. */
export type Hidden = Record<string, [number, number, string][]>

export interface Message {
  id: string
  hidden?: Hidden
  conversation_id: string
  seq: number
  author: Author
  author_id?: string | null
  author_name: string | null
  kind: MessageKind
  text: string
  created_at: string
  buttons: Button[]
  citations: Citation[]
  attachments: Attachment[]
  turn_id?: string | null
  delivery_failed?: boolean
  external_id?: string | null
  recalled_at?: string | null
  recalled_by?: string | null
  sentiment?: number | null
  sentiment_label?: string | null
  anger?: number | null
}

export interface Conversation {
  id: string
  hidden?: Hidden
  status: Status
  language: string
  channel: string
  account: string
  contact_id: string
  contact_name: string | null
  customer_id: string | null
  agent_id: string | null
  agent_name: string | null
  handoff_reason: string | null
  opened_at: string
  updated_at: string
  queued_at: string | null
  assigned_at: string | null
  resolved_at: string | null
  resolved_by: string | null
  callback_ticket: string | null
  priority: number
  last_seq: number
  preview: string
  preview_author: Author | null
  team_id?: string | null
  manual_priority?: Priority
  label_ids?: string[]
  snoozed_until?: string | null
  snoozed_by?: string | null
  snooze_reason?: string | null
  waiting_since?: string | null
  merged_into?: string | null
  revision?: number
  contact_read_seq?: number
  contact_read_at?: string | null
  contact_received_seq?: number
  agent_read_seq?: number
  required_skills?: string[]
  tier?: Tier
  sla_due_at?: string | null
  rank_at?: string | null
  offered_to?: string | null
  offered_name?: string | null
  offered_until?: string | null
  participants?: Participant[]
  told_seconds?: number | null
  told_at?: string | null
  contact_point?: string | null
  sentiment?: number | null
  sentiment_label?: string | null
  handoff_summary?: HandoffSummary | null
}

/** What the bot knew when it handed the conversation over: data, said in the reader's language by the summary card. */
export interface HandoffSummary {
  made_at: string
  reason: string | null
  reasons: string[]
  detail: Record<string, unknown>
  language: string
  channel: string
  wants: { intent: string | null; said: string; seq: number; hidden?: Hidden } | null
  details: { name: string; value: string; seq: number }[]
  tried: {
    articles: { title: string; url: string; seq: number }[]
    tasks: { task: string; outcome: string; seq: number }[]
    clarified: number
    missed: number
    turns: number
  }
  sentiment: { label: string; value: number; trend: string; course: { seq: number; value: number; label: string; anger: number }[] } | null
  added: { seq: number; text: string; files: number; hidden?: Hidden }[]
  record: {
    order: { number: string; status: string; items: { zh: string; en: string; quantity: number }[] } | null
    ticket: { number: string; status: string; subject: string } | null
  } | null
  rewritten: { zh?: string; en?: string; model: string } | null
}

export const PRIORITIES = ['none', 'low', 'normal', 'high', 'urgent'] as const
export type Priority = (typeof PRIORITIES)[number]
export const COLOURS = ['grey', 'red', 'orange', 'yellow', 'green', 'teal', 'blue', 'indigo', 'purple', 'pink'] as const
export type Colour = (typeof COLOURS)[number]
export interface Label { id: string; title: string; colour: Colour; archived: boolean }
export const SORTS = ['newest', 'oldest', 'waiting', 'priority', 'opened'] as const
export type Sort = (typeof SORTS)[number]
export interface Conditions {
  status?: Status[]
  channel?: string[]
  language?: string[]
  label?: string[]
  every_label?: boolean
  priority?: Priority[]
  team?: string[]
  agent?: string[]
  waiting_longer_minutes?: number
  sentiment?: string[]
  handoff_reason?: string[]
  tier?: string[]
  created_after?: string
  created_before?: string
  created_within_days?: number
  updated_after?: string
  updated_before?: string
  updated_within_days?: number
  unread?: boolean
  snoozed?: boolean
}
export interface FilterDraft { name: string; shared: boolean; conditions: Conditions; sort: Sort }
export interface SavedFilter extends FilterDraft { id: string; owner_name: string; mine: boolean; editable: boolean; count: number | null }
export interface Views {
  counts: Partial<Record<BuiltInView, number>>
  /** Since when the contact who has waited longest is in the queue. */
  waiting_since?: string | null
  filters: SavedFilter[]
  counted_to: number
  in_teams: boolean
  conditions: string[]
  channels: string[]
  labels_by_agents: boolean
}
export interface SearchMatch { seq: number; author: Author; author_name: string | null; kind: MessageKind; created_at: string; snippet: string; marks: [number, number][] }
export interface SearchHit extends SearchMatch { conversation_id: string }
export interface Duplicate extends Conversation { why: 'customer' | 'contact' | 'address' | 'name' }
export interface MergedThread { conversation: Conversation; into: string; merged_at: string; merged_by: string; undo_until: string | null }
export type BulkAction =
  | { action: 'assign_me' | 'resolve' | 'wake' }
  | { action: 'label'; add: string[]; remove: string[] }
  | { action: 'priority'; level: Priority }
  | { action: 'snooze'; until: string; reason: string }

export type Tier = 'standard' | 'silver' | 'gold' | 'vip'

/** An agent who takes part in somebody else's conversation; not joined yet while invited. */
export interface Participant { agent_id: string; name: string; role: 'guest' | 'supervisor'; joined_at: string | null; invited_until: string | null }

export interface Contact { id: string; name: string | null; language: string | null; customer_id: string | null; created_at: string }

export interface Customer {
  id: string
  hidden?: Hidden
  name: string
  phone: string | null
  email: string | null
  language: string
  country: string
  level: string
  points: number
  created_at: string
  tier?: string
  revision?: number
}

export interface OrderItem { line: number; product: string; product_zh: string; quantity: number; unit_price: number }
export interface ShipmentEvent { at: string; text_zh: string; text_en: string }
export interface Shipment { carrier: string; tracking_number: string; expected_on: string | null; events: ShipmentEvent[] }
export interface Order {
  hidden?: Hidden
  number: string
  status: string
  currency: string
  items: OrderItem[]
  total: number
  recipient: string
  address: string
  placed_at: string
  shipment: Shipment | null
}
export interface Ticket {
  hidden?: Hidden
  number: string
  kind: string
  subject: string
  text: string
  status: string
  priority: string
  order_number: string | null
  opened_at: string
  updated_at: string
}
export interface ContactTicket extends Ticket {
  revision: number
  contact_point: string | null
  comments: { author: string; text: string; at: string }[]
  events: { author: string; field: string; old: string; new: string; at: string }[]
}
export interface ContactAddress { hidden?: Hidden; channel: string; account: string; shown: string | null; verified: boolean; unreachable: boolean }
export interface ContactProfile {
  id: string
  hidden?: Hidden
  name: string | null
  language: string | null
  tier: string | null
  note: string
  customer_id: string | null
  linked_customer_id: string | null
  linked_by: string | null
  linked_at: string | null
  revision: number
  created_at: string
  erased: boolean
  addresses: ContactAddress[]
}
/** Something that was erased; the receipt is there once nothing is left anywhere. */
export interface Erasure { id: string; asked_at: string; done_at: string | null; conversations: number; messages: number; files: number; receipt: Record<string, unknown> | null }
export interface ContactMerge { id: string; source_id: string; name: string | null; channels: string[]; by_name: string; by_contact: boolean; at: string; may_separate: boolean }
export interface SamePerson extends ContactProfile { why: 'customer' | 'phone' | 'email' | 'found'; last_at: string | null; conversations: number }
export interface Holding { addresses: number; conversations: number; open: number; messages: number; ratings: number; labels: number; tickets: number }
export interface MergeSide { contact: ContactProfile; customer: Customer | null; holds: Holding }
export interface MergePreview { source: MergeSide; target: MergeSide; refused: string | null }
export type Past = Conversation & { first_words: string; rating: Rating | null }
export interface Rating { conversation_id: string; score: number | null; solved?: boolean | null; nps?: number | null; comment: string; rated_at: string }
/** A part of a conversation that the bot or people served. */
export interface Episode { number: number; kind: 'bot' | 'human'; agents: { id: string; name: string }[]; resolution: 'verified' | 'refuted' | 'assumed' | null; rating: Rating | null }
export type Breakdown = 'team' | 'agent' | 'channel' | 'language' | 'intent'
export interface RatingFigures { answers: number; scored: number; csat: number; low: number; high: number; mean: number; distribution: number[]; verified: number; refuted: number; assumed: number }
export interface RatingGroup { breakdown: string; key: string; label: string; asked: number; hidden: 'few' | 'protects' | null; figures: RatingFigures | null }
export interface RatingComment { text: string; score: number | null; solved: boolean | null; week: string | null; agent: string | null; conversation_id: string | null }
export interface RatingKind { kind: 'bot' | 'human'; total: RatingGroup; nps: { points: number; promoters: number; passives: number; detractors: number } | null; groups: RatingGroup[]; weeks: RatingGroup[]; comments: RatingComment[] }
export interface RatingReport { since: string; own: boolean; asks_nps: boolean; kinds: RatingKind[]; options: Record<Breakdown, { key: string; label: string }[]> }
export type RatingFilters = Record<Breakdown, string>
export interface Presence {
  agent_id: string
  name: string
  state: PresenceState
  assigned: number
  capacity?: number
  at_capacity?: boolean
  languages?: string[]
  skills?: string[]
  teams?: string[]
  keys?: string
}

export interface RetrievedPassage { passage_id: string; version?: string; score: number; title?: string; url?: string }
export interface TraceBody {
  language?: string
  intent?: string | null
  confidence?: number | null
  ranking?: { name: string; confidence: number }[]
  entities?: { entity: string; value: unknown }[]
  thresholds?: { answer?: number; clarify?: number; retrieval?: number }
  route?: string
  policy?: string | null
  rules?: string[]
  actions?: string[]
  retrieval?: RetrievedPassage[]
  slots_changed?: Record<string, unknown>
  model_id?: string
  model?: string
  timings_ms?: Record<string, number>
  generation?: Generation
}

/** How an answer was phrased by the language model, or why it was not. */
export interface Generation {
  used: 'generated' | 'extractive'
  reason: string | null
  model?: string
  prompt?: { name: string; version: number }
  passages?: { id: string; passage_id: string; version: string; score: number; title: string }[]
  messages?: { role: string; content: string }[]
  output?: string
  sentences?: { text: string; passages: string[]; supported: boolean; reason: string; detail: string; passage: string; support: number }[]
  attempts?: number
  tokens?: Record<string, number>
  timings_ms?: Record<string, number>
}

export interface PromptVersion { version: number; template: string; values: Record<string, string>; note: string; author: string; created_at: string }
export interface PromptVariable { name: string; required: boolean; data: boolean; value: boolean }
export interface PromptSummary { name: string; language: string; active_version: number; versions: number; changed_at: string }
export interface PromptOverview { prompts: PromptSummary[]; variables: PromptVariable[]; limits: { template: number; value: number; note: number }; model: string | null }
export interface PromptDetail {
  name: string
  language: string
  active_version: number
  frame: string
  versions: PromptVersion[]
  activations: { version: number; author: string; at: string }[]
}
export interface PromptDraft { template: string; values: Record<string, string> }
export interface PhrasedAnswer { text: string; citations: Citation[] }
export interface PromptTest { answered: boolean; score: number; gate: number; quoted: PhrasedAnswer | null; phrased: PhrasedAnswer | null; generation: Generation }
export interface Trace {
  turn_id: string
  conversation_id: string
  in_seq: number
  out_seqs: number[]
  trace: TraceBody
  started_at: string
  finished_at: string
}

export type SynonymKind = 'synonym' | 'product'
export type SynonymLanguage = 'zh' | 'en' | 'both'
export interface SynonymDraft { kind: SynonymKind; language: SynonymLanguage; term: string; means: string; two_way: boolean }
export interface Synonym extends SynonymDraft { id: string; updated_at: string; updated_by: string }
export interface MovedArticle {
  article_id: string
  title: string
  url: string
  place: number | null
  score: number | null
  place_before: number | null
  score_before: number | null
}
export interface SynonymTrial { becomes: string; replaced: { said: string; means: string }[]; articles: MovedArticle[] }

export interface CannedDraft { shortcut: string; title_zh: string; title_en: string; text_zh: string; text_en: string; shared: boolean }
export interface Canned extends CannedDraft { id: string; keys: string; uses: number; last_used_at: string | null; updated_at: string; updated_by: string }
export interface ImportReport { added: number; changed: number; unchanged: number; problems: { line: number; message: string; code: string; detail: string | null }[] }

export type MacroStep = { verb: string } & Record<string, string | number | null>
export interface MacroDraft { title_zh: string; title_en: string; steps: MacroStep[]; shared: boolean }
export interface Macro extends MacroDraft { id: string; keys: string; uses: number; last_used_at: string | null; updated_at: string; updated_by: string }
export interface MacroField { name: string; kind: string; required: boolean; choices: string[] }
export interface MacroVerb { name: string; hands_on: boolean; fields: MacroField[] }
export interface MacroPreview { verb: string; arguments: Record<string, string | number | null>; text: string | null; unfilled: string[] }
export interface MacroRun { ran: string[]; failed: { step: number; verb: string; code: string; message: string; detail?: string } | null; conversation: Conversation }
export interface Holiday { first: string; last: string; hours: string; name: string }
export interface TeamDraft {
  name_zh: string
  name_en: string
  languages: string[]
  skills: string[]
  hours: string
  time_zone: string
  holidays: Holiday[]
  channels: string[]
  intents: string[]
  mode: 'pull' | 'offer'
  offer_seconds: number
  first_response_seconds: number
  capacity: number
  pull_over_capacity: boolean
  active: boolean
  members: string[]
}
export interface Team extends TeamDraft { id: string; updated_at: string | null; updated_by: string; problems: { code: 'nobody' | 'skill' | 'language'; detail?: string }[] }
export interface RoutingRule {
  team_id: string
  channels: string[]
  languages: string[]
  topics: string[]
  tiers: Tier[]
  skills: string[]
  only_when_open: boolean
  enabled: boolean
}
export interface Person { id: string; name: string; role: Role; languages: string[]; skills: string[]; capacity: number | null }
export interface TeamsPage { teams: Team[]; rules: RoutingRule[]; people: Person[] }
export interface WaitRow {
  team_id: string
  team_zh: string
  team_en: string
  day: string
  waits: number
  accepted: number
  left: number
  told: number
  expected_seconds: number | null
  actual_seconds: number | null
  error_seconds: number | null
  late_share: number | null
}
/** A card in a reply, and whether its source goes with it. */
export interface CardUse { id: string; cite: boolean }
/** What an agent wrote before it was translated for the contact. */
export interface OriginalText { text: string; language: string }
export interface AssistSuggestion {
  id: string | null
  key: number
  text: string
  language: string
  origin: 'article' | 'conversations'
  because: string[]
  support: number
  citations: Citation[]
  title: string
}
export interface AssistPassage {
  id: string | null
  key: number
  passage_id: string
  article_id: string
  language: string
  title: string
  headings: string[]
  excerpt: string
  text: string
  url: string
  score: number
  internal: boolean
  citations: Citation[]
}
export interface SimilarConversation {
  id: string | null
  key: number
  conversation_id: string
  similarity: number
  intent: string | null
  rating: number | null
  labels: string[]
  channel: string
  resolved_at: string | null
  resolved_by: string | null
  agent_name: string | null
  request: string
  replies: string[]
  language: string
  placeholders: number
}
export interface AssistLook {
  seq: number
  language: string
  requests: string[]
  intent: string | null
  product: string | null
  suggestion: AssistSuggestion | null
  passages: AssistPassage[]
  similar: SimilarConversation[]
  took_ms: number
  model: string | null
}
export interface BotAnswer {
  state: 'said' | 'would' | 'unavailable' | 'file'
  id: string | null
  key: number
  text?: string
  buttons?: string[]
  citations?: Citation[]
  handoff?: string | null
  may_be_phrased?: boolean
  intent?: string | null
  confidence?: number | null
  route?: string | null
  score?: number | null
  would?: string[]
}
export interface PhrasedSuggestion { id: string | null; key: number; seq: number; text: string | null; reason: string | null; model: string | null; citations: Citation[] }
export interface AssistCounts {
  shown: number
  inserted: number
  unchanged: number
  edited: number
  rejected: number
  ignored: number
  open: number
  acceptance: number | null
  edit_distance: number | null
  seconds_to_sent: number | null
  reasons: Record<string, number>
}
export interface AssistReport {
  days: number
  complete: boolean
  total: AssistCounts
  by_kind: (AssistCounts & { kind: string })[]
  by_agent: (AssistCounts & { agent_id: string; name: string })[]
  replies: { answered: number; with_assist: number; share: number | null }
  took_ms: { p50: number; p95: number } | null
  digests: { held: number; resolved: number }
}
export interface Translated { text: string | null; reason: string | null; model: string; cached?: boolean }
export interface Translations { model: string | null; translations: Record<string, Record<string, string>>; originals: Record<string, OriginalText> }
export interface RuleException { language: string | null; channel: string | null; enabled: boolean | null; threshold: number | null; count: number | null }
export interface HandoffRule { enabled: boolean; threshold: number; count: number; tiers: string[]; at_once: boolean; exceptions: RuleException[] }
export type HandoffRules = Record<string, HandoffRule>
export interface RulesVersion { version: number; note: string; author: string; created_at: string | null }
export interface RulesOverview { rules: HandoffRules; defaults: HandoffRules; reasons: string[]; always: string[]; versions: RulesVersion[] }
export interface RulesPreview { days: number; conversations: number; handed_off: number; by_reason: Record<string, number>; capped: boolean }
