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
  recalled_at?: string | null
  recalled_by?: string | null
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
  contact_read_seq?: number
  contact_read_at?: string | null
  agent_read_seq?: number
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
export interface Presence { agent_id: string; name: string; state: PresenceState; assigned: number; keys?: string }

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

export interface CannedDraft { shortcut: string; title_zh: string; title_en: string; text_zh: string; text_en: string; shared: boolean }
export interface Canned extends CannedDraft { id: string; keys: string; uses: number; last_used_at: string | null; updated_at: string; updated_by: string }
export interface ImportReport { added: number; changed: number; unchanged: number; problems: { line: number; message: string; code: string; detail: string | null }[] }

export type MacroStep = { verb: string } & Record<string, string | number | null>
export interface MacroDraft { title_zh: string; title_en: string; steps: MacroStep[]; shared: boolean }
export interface Macro extends MacroDraft { id: string; keys: string; uses: number; last_used_at: string | null; updated_at: string; updated_by: string }
export interface MacroField { name: string; kind: string; required: boolean; choices: string[] }
export interface MacroVerb { name: string; hands_on: boolean; fields: MacroField[] }
export interface MacroPreview { verb: string; arguments: Record<string, string | number | null>; text: string | null; unfilled: string[] }
export interface MacroRun { ran: string[]; failed: { step: number; verb: string; code: string; message: string } | null; conversation: Conversation }
