// The JSON the staff API speaks; field names are the server's.

export type Role = 'agent' | 'trainer' | 'supervisor' | 'admin'
export type Status = 'bot' | 'queued' | 'assigned' | 'resolved'
export type View = 'mine' | 'queued' | 'bot' | 'all' | 'resolved'
export type Author = 'contact' | 'bot' | 'agent' | 'system'
export type MessageKind = 'text' | 'note' | 'activity' | 'rating_request'
export type PresenceState = 'online' | 'away' | 'offline'

export interface Staff { id: string; name: string; email: string; role: Role }
export interface Session { staff: Staff; csrf: string }
export interface DemoSignIn { role: Role; email: string; password: string; name?: string }

export interface Attachment { id: string; name: string; media_type: string; size: number; url?: string }
export interface Button { id: string; title: string }
export interface Citation { passage_id: string; article_id: string; title: string; quote: string; url: string }

export interface Message {
  id: string
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
  sentiment?: number | null
  sentiment_label?: string | null
  anger?: number | null
}

export interface Conversation {
  id: string
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
  wants: { intent: string | null; said: string; seq: number } | null
  details: { name: string; value: string; seq: number }[]
  tried: {
    articles: { title: string; url: string; seq: number }[]
    tasks: { task: string; outcome: string; seq: number }[]
    clarified: number
    missed: number
    turns: number
  }
  sentiment: { label: string; value: number; trend: string; course: { seq: number; value: number; label: string; anger: number }[] } | null
  added: { seq: number; text: string; files: number }[]
  record: {
    order: { number: string; status: string; items: { zh: string; en: string; quantity: number }[] } | null
    ticket: { number: string; status: string; subject: string } | null
  } | null
  rewritten: { zh?: string; en?: string; model: string } | null
}

export interface Contact { id: string; name: string | null; language: string | null; customer_id: string | null; created_at: string }

export interface Customer {
  id: string
  name: string
  phone: string | null
  email: string | null
  language: string
  country: string
  level: string
  points: number
  created_at: string
}

export interface OrderItem { line: number; product: string; product_zh: string; quantity: number; unit_price: number }
export interface ShipmentEvent { at: string; text_zh: string; text_en: string }
export interface Shipment { carrier: string; tracking_number: string; expected_on: string | null; events: ShipmentEvent[] }
export interface Order {
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
export interface Rating { conversation_id: string; score: number; comment: string; rated_at: string }
export interface Presence { agent_id: string; name: string; state: PresenceState; assigned: number }

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
  actions?: string[]
  retrieval?: RetrievedPassage[]
  slots_changed?: Record<string, unknown>
  model_id?: string
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

export interface RuleException { language: string | null; channel: string | null; enabled: boolean | null; threshold: number | null; count: number | null }
export interface HandoffRule { enabled: boolean; threshold: number; count: number; tiers: string[]; at_once: boolean; exceptions: RuleException[] }
export type HandoffRules = Record<string, HandoffRule>
export interface RulesVersion { version: number; note: string; author: string; created_at: string | null }
export interface RulesOverview { rules: HandoffRules; defaults: HandoffRules; reasons: string[]; always: string[]; versions: RulesVersion[] }
export interface RulesPreview { days: number; conversations: number; handed_off: number; by_reason: Record<string, number>; capped: boolean }
