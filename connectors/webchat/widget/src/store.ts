// What the visitor has said and heard, in order and once, with what is still on its way.
import { reasonOf, type Text } from './i18n';
import type { Attachment, ConversationState, Message, ServerFrame } from './protocol';
import type { Memory, Unsent } from './storage';

export interface Pending extends Unsent {
  state: 'waiting' | 'sending' | 'failed';
  problem: Text | null;
  seq?: { conversation_id: string; seq: number };
}

const TYPING_SECONDS = 6;

export function messageKey(message: { conversation_id: string; seq: number }): string {
  return `${message.conversation_id}:${message.seq}`;
}

export class Store {
  messages: Message[] = [];
  pending: Pending[] = [];
  conversation: ConversationState | null = null;
  /** Whether there are other channels on which the visitor may go on. */
  elsewhere = false;
  typingUntil = 0;
  /** Whether the visitor has the conversation in front of them: then nothing new is unread. */
  looking = false;
  /** The first message the visitor has not seen; a line is drawn above it. */
  dividerKey: string | null = null;
  unread = 0;
  private readonly known = new Set<string>();
  private readonly order = new Map<string, number>();
  private seen: string | null;

  constructor(
    private readonly memory: Memory,
    private readonly now: () => number = Date.now,
  ) {
    this.seen = memory.get('seen');
    this.loadUnsent();
  }

  /** Everything after this place is asked for when the connection comes back. */
  get cursor(): string | null {
    const last = this.messages[this.messages.length - 1];
    return last ? messageKey(last) : null;
  }

  get typing(): boolean {
    return this.now() < this.typingUntil;
  }

  get lastFromContact(): number {
    return this.messages.reduce((found, message, index) => (message.author === 'contact' ? index : found), -1);
  }

  /** Forget the visitor: the token was refused or another tab has become somebody else. */
  reset(): void {
    this.messages = [];
    this.known.clear();
    this.order.clear();
    this.conversation = null;
    this.dividerKey = null;
    this.unread = 0;
    this.seen = null;
    this.memory.set('seen', null);
  }

  /** Somebody else may be next at this browser: nothing of the visitor stays on the page. */
  forget(): void {
    this.reset();
    this.pending = [];
    this.typingUntil = 0;
    this.elsewhere = false;
  }

  /** Whether something is still to be delivered in the name of the visitor as they are now. */
  get delivering(): boolean {
    return this.pending.some((item) => item.state !== 'failed' && !item.seq);
  }

  loadUnsent(): void {
    const mine = new Set(this.pending.map((item) => item.client_msg_id));
    for (const item of this.memory.unsent()) {
      if (!mine.has(item.client_msg_id)) this.pending.push({ ...item, state: 'waiting', problem: null });
    }
  }

  add(text: string, buttonId: string | null, attachments: Attachment[], id: string, contactPoint?: string): Pending {
    const item: Pending = {
      client_msg_id: id,
      text,
      button_id: buttonId,
      attachments,
      at: this.now(),
      state: 'waiting',
      problem: null,
      ...(contactPoint === undefined ? {} : { contact_point: contactPoint }),
    };
    this.pending.push(item);
    this.keep(item);
    this.dividerKey = null;
    return item;
  }

  /** The next message to send; one at a time keeps their order. */
  nextToSend(): Pending | null {
    if (this.pending.some((item) => item.state === 'sending')) return null;
    return this.pending.find((item) => item.state === 'waiting' && !item.seq) ?? null;
  }

  /** The connection is gone: what was not acknowledged is sent again with the same id. */
  requeue(): void {
    for (const item of this.pending) if (item.state === 'sending') item.state = 'waiting';
  }

  retry(id: string): void {
    const item = this.pending.find((one) => one.client_msg_id === id);
    if (item?.state === 'failed') Object.assign(item, { state: 'waiting', problem: null });
  }

  discard(id: string): void {
    this.pending = this.pending.filter((one) => one.client_msg_id !== id);
    this.memory.forgetUnsent(id);
  }

  fail(id: string, code: string): void {
    const item = this.pending.find((one) => one.client_msg_id === id);
    if (item) Object.assign(item, { state: 'failed', problem: reasonOf(code, item.text) });
  }

  acknowledge(id: string, conversationId: string, seq: number): void {
    this.memory.forgetUnsent(id);
    const item = this.pending.find((one) => one.client_msg_id === id);
    if (!item) return;
    if (this.known.has(`${conversationId}:${seq}`)) this.discard(id);
    // Shown from here until the message itself comes back, so that it never blinks.
    else Object.assign(item, { state: 'waiting', seq: { conversation_id: conversationId, seq } });
  }

  /** Take a message; false if it was there already. */
  take(message: Message): boolean {
    const key = messageKey(message);
    this.pending = this.pending.filter((item) => {
      const same = item.client_msg_id === message.client_msg_id || (item.seq && messageKey(item.seq) === key);
      if (same) this.memory.forgetUnsent(item.client_msg_id);
      return !same;
    });
    if (this.known.has(key)) return false;
    this.known.add(key);
    if (!this.order.has(message.conversation_id)) this.order.set(message.conversation_id, this.order.size);
    this.messages.splice(this.placeOf(message), 0, message);
    if (message.author !== 'contact') {
      this.typingUntil = 0;
      if (!this.looking && this.isUnseen(message)) {
        this.unread += 1;
        this.dividerKey ??= key;
      }
    }
    return true;
  }

  /** An agent took a message back: its words leave the page and everything kept of it. */
  recall(place: { conversation_id: string; seq: number }): void {
    const key = messageKey(place);
    const message = this.messages.find((one) => messageKey(one) === key);
    if (message) Object.assign(message, { text: '', buttons: [], citations: [], attachments: [], recalled: true });
  }

  takeRead(place: { conversation_id: string; seq: number }): void {
    const state = this.conversation;
    if (state?.id === place.conversation_id) state.agent_read_seq = Math.max(state.agent_read_seq ?? 0, place.seq);
  }

  /** The last own message that an agent has read. */
  get readKey(): string | null {
    const state = this.conversation;
    const read = state?.agent_read_seq ?? 0;
    const own = this.messages.filter((one) => one.author === 'contact' && one.conversation_id === state?.id && one.seq <= read);
    const last = own[own.length - 1];
    return last ? messageKey(last) : null;
  }

  takeState(state: ConversationState): void {
    const isNewer = (this.order.get(state.id) ?? Infinity) >= (this.order.get(this.conversation?.id ?? '') ?? -1);
    if (!isNewer) return;
    const before = this.conversation?.id === state.id ? this.conversation : null;
    this.conversation = { ...before, ...(state.status === 'queued' ? null : { position: null, wait_minutes: null, closed: false, asks_contact_details: false }), ...state };
  }

  takeTyping(frame: Extract<ServerFrame, { type: 'typing' }>): void {
    if (frame.author !== 'contact') this.typingUntil = this.now() + TYPING_SECONDS * 1000;
  }

  /** The visitor looks at the last message. */
  markSeen(): void {
    const cursor = this.cursor;
    if (this.unread === 0 && cursor === this.seen) return;
    this.unread = 0;
    this.seen = cursor;
    this.memory.set('seen', cursor);
  }

  /** Another tab has shown the messages. */
  seenElsewhere(): void {
    this.seen = this.memory.get('seen');
    this.unread = this.messages.filter((message) => message.author !== 'contact' && this.isUnseen(message)).length;
    if (this.unread === 0) this.dividerKey = null;
  }

  private isUnseen(message: Message): boolean {
    if (this.seen === null) return true;
    const [conversation = '', seq = '0'] = this.seen.split(':');
    if (conversation === message.conversation_id) return message.seq > Number(seq);
    const seenPlace = this.order.get(conversation);
    // The seen message is older than the history that was loaded, or belongs to an earlier conversation.
    return seenPlace === undefined || (this.order.get(message.conversation_id) ?? 0) > seenPlace;
  }

  private keep(item: Pending): void {
    const { state: _state, problem: _problem, seq: _seq, ...unsent } = item;
    this.memory.keepUnsent(unsent);
  }

  private placeOf(message: Message): number {
    let place = this.messages.length;
    const isAfter = (other: Message): boolean => {
      const order = (this.order.get(other.conversation_id) ?? 0) - (this.order.get(message.conversation_id) ?? 0);
      return order > 0 || (order === 0 && other.seq > message.seq);
    };
    while (place > 0 && isAfter(this.messages[place - 1]!)) place -= 1;
    return place;
  }
}
