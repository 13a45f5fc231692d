// The frames of the widget protocol, as both sides write them.

/** How many characters a message may have. */
export const MAX_TEXT = 4000;

export type Language = 'zh' | 'en';
export type Status = 'bot' | 'queued' | 'assigned' | 'resolved';
export type Author = 'contact' | 'bot' | 'agent' | 'system';

export interface Attachment {
  id: string;
  name: string;
  media_type: string;
  size: number;
  url: string;
}

export interface Button {
  id: string;
  title: string;
}

export interface Citation {
  title: string;
  quote: string;
  url: string;
}

export interface Message {
  conversation_id: string;
  seq: number;
  author: Author;
  author_name: string | null;
  kind: 'text' | 'activity' | 'rating_request';
  text: string;
  created_at: string;
  buttons: Button[];
  citations: Citation[];
  attachments: Attachment[];
  client_msg_id?: string;
  /** Of a rating request: whom it asks about, who served last first. */
  asks?: { episodes: AskedEpisode[]; nps: boolean };
  /** The agent took it back; its words are gone. */
  recalled?: boolean;
}

export interface ConversationState {
  id: string;
  status: Status;
  agent_name?: string | null;
  position?: number | null;
  /** How far an agent has read. */
  agent_read_seq?: number;
  wait_minutes?: number | null;
  /** It goes on in another conversation of the same person. */
  merged?: boolean;
  closed?: boolean;
  /** Out of hours: a form asks how to reach the visitor. */
  asks_contact_details?: boolean;
}

export type ServerFrame =
  | { type: 'welcome'; token: string; visitor: string; conversation: ConversationState | null; /** There are other channels to go on at. */ elsewhere?: boolean; /** What became of the identity that hello brought. */ identity?: IdentityAnswer }
  | { type: 'message'; message: Message }
  | { type: 'ack'; client_msg_id: string; conversation_id: string; seq?: number }
  | { type: 'typing'; author: Author }
  | { type: 'status'; conversation_id: string; status: Status; agent_name?: string | null; position?: number | null; wait_minutes?: number | null; closed?: boolean; merged?: boolean; agent_read_seq?: number; asks_contact_details?: boolean }
  | { type: 'recalled'; conversation_id: string; seq: number }
  | { type: 'read'; conversation_id: string; seq: number }
  | { type: 'error'; client_msg_id?: string; code: string; message: string; retry_after_seconds?: number }
  | { type: 'pong' };

/** Who the site says its visitor is; made on the site's server, see docs/embedding.md. */
export interface Identity {
  id: string;
  expires_at: number;
  signature: string;
  name?: string;
  email?: string;
  phone?: string;
}

export interface IdentityAnswer {
  ok: boolean;
  code?: string;
  message?: string;
  message_zh?: string;
}

export interface SayFrame {
  type: 'message';
  client_msg_id: string;
  text: string;
  button_id: string | null;
  attachment_ids: string[];
  language: Language;
  /** What the form for contact details was given; the text says it as well. */
  contact_point?: string;
}

export interface AskedEpisode {
  kind: 'bot' | 'human';
  agent_name: string | null;
}

export interface RatingAnswer {
  score: number | null;
  solved: boolean | null;
  nps: number | null;
  /** For who served the visitor before the last one. */
  other_score: number | null;
  comment: string;
  /** When it was sent, for how long it can be changed. */
  at?: number | undefined;
}

export interface RatingFrame extends RatingAnswer {
  type: 'rating';
  client_msg_id: string;
  conversation_id: string;
  never_again: boolean;
}

export interface TypingFrame {
  type: 'typing';
  preview: string;
}

export interface ReadFrame {
  type: 'read';
  conversation_id: string;
  seq: number;
}

export type ClientFrame = SayFrame | RatingFrame | TypingFrame | ReadFrame;
