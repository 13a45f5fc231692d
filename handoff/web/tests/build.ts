// Builders of messages and conversations for the tests.
import type { Conversation, Message } from '../src/types'

const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 8, 0, second)).toISOString()

export function message(seq: number, more: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`, conversation_id: 'c1', seq, author: 'contact', author_id: null, author_name: null, kind: 'text', text: `text ${seq}`, created_at: at(seq),
    buttons: [], citations: [], attachments: [], turn_id: null, delivery_failed: false, external_id: null, ...more,
  }
}

export function conversation(id: string, more: Partial<Conversation> = {}): Conversation {
  return {
    id, status: 'assigned', language: 'en', channel: 'webchat', account: 'default', contact_id: `contact-${id}`, contact_name: null, customer_id: null,
    agent_id: 'me', agent_name: 'Me', handoff_reason: null, opened_at: at(0), updated_at: at(0), queued_at: null, assigned_at: null, resolved_at: null, resolved_by: null,
    callback_ticket: null, priority: 0, last_seq: 1, preview: '', preview_author: null, ...more,
  }
}

export { at }

/** Lets everything that is ready to go on do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
