import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Text, Words } from '../src/i18n';
import type { RatingAnswer } from '../src/protocol';
import { type FakeSocket, setUp } from './sockets';

const CONVERSATION = 'c'.repeat(32);
const ANSWER: RatingAnswer = { score: 2, solved: false, nps: null, other_score: null, comment: 'many words' };
const CHINESE = /^[^a-z]*[\u4e00-\u9fff]/;

function online() {
  const made = setUp();
  made.chat.connection.start();
  made.last().welcome(`v1.${'a'.repeat(32)}.1.x`);
  return { ...made, socket: made.last() };
}
const framesOf = (socket: FakeSocket, type: string) => socket.sent.filter((one) => one['type'] === type);
const idOf = (socket: FakeSocket, type: string) => String(framesOf(socket, type).at(-1)?.['client_msg_id']);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a rating that cannot be saved just now', () => {
  it.each([['unavailable', undefined, 3_000], ['too_fast', 7, 7_000]] as const)('is kept and sent again in time (%s)', (code, seconds, pause) => {
    const { chat, socket } = online();
    chat.rate(CONVERSATION, ANSWER);
    const id = idOf(socket, 'rating');
    socket.hears({ type: 'error', code, message: '', client_msg_id: id, ...(seconds ? { retry_after_seconds: seconds } : {}) });
    expect(chat.rating(CONVERSATION)).toMatchObject({ state: 'sending', answer: { comment: 'many words' } });
    vi.advanceTimersByTime(pause - 1);
    expect(framesOf(socket, 'rating')).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(framesOf(socket, 'rating').map((one) => one['client_msg_id'])).toEqual([id, id]);
    socket.hears({ type: 'ack', client_msg_id: id, conversation_id: CONVERSATION });
    expect(chat.rating(CONVERSATION)?.state).toBe('done');
  });

  it('is not sent in the name of the next person at this browser', () => {
    const { chat, socket } = online();
    chat.rate(CONVERSATION, ANSWER);
    socket.hears({ type: 'error', code: 'unavailable', message: '', client_msg_id: idOf(socket, 'rating') });
    chat.forget();
    vi.advanceTimersByTime(60_000);
    expect(framesOf(socket, 'rating')).toHaveLength(1);
  });
});

describe('a message that is no good frame', () => {
  it.each(['says which it was', 'was not even read'])('fails, and those after it are sent (%s)', (how) => {
    const { chat, socket } = online();
    chat.say('x'.repeat(4001));
    chat.say('hello?');
    const named = how === 'was not even read' ? {} : { client_msg_id: idOf(socket, 'message') };
    socket.hears({ type: 'error', code: 'bad_frame', message: 'Text: at most 4000.', ...named });
    expect(chat.store.pending.map((item) => [item.state, item.problem])).toEqual([['failed', 'tooLong'], ['sending', null]]);
    expect(framesOf(socket, 'message').at(-1)?.['text']).toBe('hello?');
  });

  it('leaves alone what waits while something else was no good', () => {
    const { chat, socket } = online();
    socket.hears({ type: 'error', code: 'bad_frame', message: '' });
    chat.say('hello?');
    expect(chat.store.pending.map((item) => item.state)).toEqual(['sending']);
  });
});

describe('what the visitor is told of a refusal', () => {
  it('are words of the widget in both languages, whatever the desk says', () => {
    const found = new Set<Text>();
    for (const code of ['invalid_message', 'not_found', 'idempotency_conflict', 'unavailable', 'too_fast']) {
      const { chat, socket } = online();
      chat.say('hello');
      for (let n = 0; n < 7; n++) {
        socket.hears({ type: 'error', code, message: 'A sentence for developers.', retry_after_seconds: 1, client_msg_id: idOf(socket, 'message') });
        vi.advanceTimersByTime(1_100);
      }
      const [item] = chat.store.pending;
      expect(item?.state).toBe('failed');
      found.add(item!.problem!);
    }
    expect([...found]).toEqual(['notTaken', 'notNow', 'tooFast']);
    for (const name of [...found, 'tooLong' as const]) {
      expect(new Words('zh').say(name)).toMatch(CHINESE);
      expect(new Words('en').say(name)).not.toMatch(/[\u4e00-\u9fff]/);
    }
  });
});
