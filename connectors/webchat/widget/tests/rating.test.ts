import { beforeEach, describe, expect, it } from 'vitest';
import { Chat } from '../src/chat';
import { Words } from '../src/i18n';
import type { RatingAnswer, RatingFrame } from '../src/protocol';
import { Memory } from '../src/storage';
import { Shelf } from './shelf';

const CONVERSATION = 'c'.repeat(32);
const ANSWER: RatingAnswer = { score: 4, solved: true, nps: null, other_score: 2, comment: 'quick' };

/** A chat whose connection only remembers what it would send, and can be told what the desk answers. */
function chatOn(shelf: Shelf): { chat: Chat; sent: RatingFrame[]; hears: (frame: object) => void } {
  const chat = new Chat('https://desk.example', new Memory('test', shelf), new Words('en'), {} as never, () => undefined);
  const sent: RatingFrame[] = [];
  chat.connection.send = (frame) => {
    if (frame.type === 'rating') sent.push(frame);
    return true;
  };
  const hears = (frame: object): void => (chat as unknown as { take(frame: object): void }).take(frame);
  return { chat, sent, hears };
}

describe('a rating', () => {
  let shelf: Shelf;
  beforeEach(() => {
    shelf = new Shelf();
  });

  it('carries everything that was answered and is kept once the desk has it', () => {
    const { chat, sent, hears } = chatOn(shelf);
    chat.rate(CONVERSATION, ANSWER);
    expect(sent[0]).toMatchObject({ ...ANSWER, conversation_id: CONVERSATION, never_again: false });
    expect(chat.rating(CONVERSATION)?.state).toBe('sending');
    hears({ type: 'ack', client_msg_id: sent[0]?.client_msg_id, conversation_id: CONVERSATION });
    expect(chat.rating(CONVERSATION)).toMatchObject({ state: 'done', answer: ANSWER });
    expect(chatOn(shelf).chat.rating(CONVERSATION)).toMatchObject({ state: 'done', answer: ANSWER });
  });

  it('can be changed, and what the desk refuses as too late leaves the earlier one', () => {
    const { chat, sent, hears } = chatOn(shelf);
    chat.rate(CONVERSATION, ANSWER);
    hears({ type: 'ack', client_msg_id: sent[0]?.client_msg_id, conversation_id: CONVERSATION });
    chat.editRating(CONVERSATION);
    expect(chat.rating(CONVERSATION)).toMatchObject({ state: 'editing', answer: ANSWER });
    chat.rate(CONVERSATION, { ...ANSWER, score: 1 });
    hears({ type: 'error', client_msg_id: sent[1]?.client_msg_id, code: 'already_rated', message: '' });
    expect(chat.rating(CONVERSATION)).toMatchObject({ state: 'done', answer: { score: 4 } });
  });

  it('says when its time is over', () => {
    const { chat, sent, hears } = chatOn(shelf);
    chat.rate(CONVERSATION, ANSWER);
    hears({ type: 'error', client_msg_id: sent[0]?.client_msg_id, code: 'rating_closed', message: '' });
    expect(chat.rating(CONVERSATION)?.state).toBe('closed');
  });

  it('is not asked for any more by a visitor who says so', () => {
    const { chat, sent } = chatOn(shelf);
    chat.neverAsk(CONVERSATION);
    expect(sent[0]).toMatchObject({ score: null, never_again: true });
  });

  it('that an older widget kept is still shown', () => {
    new Memory('test', shelf).set(`rated:${CONVERSATION}`, '3');
    expect(chatOn(shelf).chat.rating(CONVERSATION)).toMatchObject({ state: 'done', answer: { score: 3, solved: null } });
  });
});
