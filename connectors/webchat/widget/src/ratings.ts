// The visitor's ratings: each is sent until the desk has it or says why not, and remembered so that nobody is asked twice.
import type { RatingAnswer, RatingFrame } from './protocol';
import { answerOf, NOTHING, type RatingState, readAnswer } from './rating_answer';
import type { Memory } from './storage';

const CLOSED = 'closed';

export class Ratings {
  private readonly sending = new Map<string, RatingFrame>();
  private readonly editing = new Set<string>();

  constructor(
    private readonly memory: Memory,
    private readonly send: (frame: RatingFrame) => void,
  ) {}

  of(conversationId: string): RatingState | null {
    const sending = this.sending.get(conversationId);
    if (sending) return { answer: answerOf(sending), state: 'sending' };
    const kept = this.memory.get(`rated:${conversationId}`);
    if (kept === null) return null;
    if (kept === CLOSED) return { answer: { ...NOTHING }, state: 'closed' };
    const answer = readAnswer(kept);
    return { answer, state: this.editing.has(conversationId) ? 'editing' : 'done' };
  }

  rate(id: string, conversationId: string, answer: RatingAnswer, neverAgain: boolean): void {
    const frame: RatingFrame = { ...answer, at: Date.now(), type: 'rating', client_msg_id: id, conversation_id: conversationId, never_again: neverAgain };
    this.sending.set(conversationId, frame);
    this.editing.delete(conversationId);
    this.send(frame);
  }

  edit(conversationId: string): void {
    this.editing.add(conversationId);
  }

  find(id: string): RatingFrame | undefined {
    return [...this.sending.values()].find((one) => one.client_msg_id === id);
  }

  taken(rating: RatingFrame): void {
    this.sending.delete(rating.conversation_id);
    this.memory.set(`rated:${rating.conversation_id}`, JSON.stringify(answerOf(rating)));
  }

  /** The desk will not take it. */
  refused(rating: RatingFrame, code: string): void {
    const kept = this.memory.get(`rated:${rating.conversation_id}`);
    if (code === 'rating_closed') this.memory.set(`rated:${rating.conversation_id}`, CLOSED);
    if (code === 'already_rated' && kept === null) this.taken(rating);
    else this.sending.delete(rating.conversation_id);
  }

  /** The desk could not take it just now; it waits for as long as the page is open, since nobody would write it twice. */
  again(rating: RatingFrame, pause: number): void {
    setTimeout(() => {
      if (this.sending.get(rating.conversation_id) === rating) this.send(rating);
    }, pause);
  }

  sendAll(): void {
    for (const rating of this.sending.values()) this.send(rating);
  }

  clear(): void {
    this.sending.clear();
    this.editing.clear();
  }
}
