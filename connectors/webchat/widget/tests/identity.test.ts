import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Identity, Message } from '../src/protocol';
import { Memory } from '../src/storage';
import { Shelf } from './shelf';
import { setUp } from './sockets';

const ANN: Identity = { id: 'user-1001', expires_at: 1_800_000_000, signature: 'f'.repeat(64) };
const NOBODY = `v1.${'a'.repeat(32)}.1.x`;
const USER = `s1.${'b'.repeat(32)}.1.x`;

const message = (text: string, seq: number): Message => ({
  conversation_id: 'c'.repeat(32), seq, author: 'contact', author_name: null, kind: 'text', text, created_at: '', buttons: [], citations: [], attachments: [],
}); // prettier-ignore

describe('who the site says its visitor is', () => {
  let warned: ReturnType<typeof vi.spyOn>;
  beforeEach(() => {
    vi.useFakeTimers();
    warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.useRealTimers();
    warned.mockRestore();
  });

  it('is told with the visitor’s own token, and the answer becomes the token of this browser', async () => {
    const { chat, shelf, last } = setUp();
    const answer = chat.identify(ANN);
    chat.connection.start();
    expect(last().hello).not.toHaveProperty('identity'); // nobody yet, whose signature it could be
    last().welcome(NOBODY);
    expect(last().hello).toMatchObject({ token: NOBODY, identity: ANN, after: null });
    last().welcome(USER, { ok: true });
    await expect(answer).resolves.toEqual({ ok: true });
    expect(shelf.getItem('frontdesk:test:token')).toBe(USER);
    expect(warned).not.toHaveBeenCalled();
  });

  it('is told once; when the connection comes back the token says it', () => {
    const { chat, sockets, last } = setUp();
    void chat.identify(ANN);
    chat.connection.start();
    last().welcome(NOBODY);
    last().welcome(USER, { ok: true });
    const before = sockets.length;
    chat.connection.restart();
    expect(sockets).toHaveLength(before + 1);
    expect(last().hello).toMatchObject({ token: USER });
    expect(last().hello).not.toHaveProperty('identity');
  });

  it('waits until what is on its way has arrived, so that nothing is said twice', () => {
    const { chat, last, sockets } = setUp();
    chat.say('do you ship?');
    void chat.identify(ANN);
    last().welcome(NOBODY);
    expect(sockets).toHaveLength(1);
    const said = last().sent.find((frame) => frame['type'] === 'message')!;
    last().hears({ type: 'ack', client_msg_id: String(said['client_msg_id']), conversation_id: 'c'.repeat(32), seq: 1 });
    expect(sockets).toHaveLength(2);
    expect(last().hello).toMatchObject({ identity: ANN });
  });

  it('shows what the user said elsewhere instead of what was shown before', () => {
    const { chat, last } = setUp();
    chat.connection.start();
    last().welcome(NOBODY);
    last().hears({ type: 'message', message: message('anonymous', 1) });
    void chat.identify(ANN);
    last().welcome(USER, { ok: true });
    expect(chat.store.messages).toEqual([]);
    last().hears({ type: 'message', message: message('from the phone', 1) });
    expect(chat.store.messages.map((one) => one.text)).toEqual(['from the phone']);
  });

  it.each([
    ['en', 'Sign it anew.'],
    ['zh', '请重新签名。'],
  ] as const)('is refused with a reason for the page’s developer (%s), and the chat goes on', async (language, reason) => {
    const { chat, shelf, last } = setUp(new Shelf(), language);
    chat.connection.start();
    last().welcome(NOBODY);
    const answer = chat.identify(ANN);
    last().welcome(NOBODY, { ok: false, code: 'identity_forged', message: 'Sign it anew.', message_zh: '请重新签名。' });
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'identity_forged' });
    expect(warned).toHaveBeenCalledWith(`[Frontdesk] ${reason}`);
    expect(shelf.getItem('frontdesk:test:token')).toBe(NOBODY);
    chat.say('hello');
    expect(last().sent.at(-1)).toMatchObject({ type: 'message', text: 'hello' });
  });

  it('is said again when the agent who helped the visitor is done', () => {
    const { chat, last } = setUp();
    chat.connection.start();
    last().welcome(NOBODY);
    void chat.identify(ANN);
    last().welcome(NOBODY, { ok: false, code: 'identity_later' });
    last().hears({ type: 'status', conversation_id: 'c'.repeat(32), status: 'resolved' });
    expect(last().hello).toMatchObject({ identity: ANN });
  });

  it('is said again when its token has ended, so that the page’s developer learns why nobody is known', () => {
    const { chat, last } = setUp();
    chat.connection.start();
    last().welcome(NOBODY);
    void chat.identify(ANN);
    last().welcome(USER, { ok: true });
    last().hears({ type: 'error', code: 'bad_token', message: '' });
    last().welcome(NOBODY);
    expect(last().hello).toMatchObject({ token: NOBODY, identity: ANN });
  });

  it('does not connect a chat that nobody has used', () => {
    const { chat, sockets } = setUp();
    void chat.identify(ANN);
    expect(sockets).toHaveLength(0);
  });
});

describe('signing out', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('leaves nothing of the visitor in the browser', async () => {
    const { chat, shelf, last, sockets, cleared } = setUp();
    const other = new Memory('other desk', shelf);
    other.set('token', 'theirs');
    chat.connection.start();
    last().welcome(USER);
    last().hears({ type: 'message', message: message('my secret', 1) });
    chat.store.markSeen();
    chat.say('never sent');
    chat.details.point = '13800000000';
    chat.rate('c'.repeat(32), { score: 5, solved: null, nps: null, other_score: null, comment: 'thanks' });
    const answer = chat.identify(ANN);
    chat.forget();
    expect([...shelf.entries.keys()].sort()).toEqual(['frontdesk:other desk:token', 'frontdesk:test:left']);
    expect([chat.store.messages, chat.store.pending, chat.store.conversation, chat.details.point]).toEqual([[], [], null, '']);
    expect(chat.rating('c'.repeat(32))).toBeNull();
    expect(cleared).toHaveBeenCalled();
    await expect(answer).resolves.toMatchObject({ ok: false });
    expect(chat.connection.phase).toBe('idle');
    const before = sockets.length;
    chat.connection.start();
    expect(sockets).toHaveLength(before + 1);
    expect(last().hello).toMatchObject({ token: null, after: null });
    expect(last().hello).not.toHaveProperty('identity');
  });

  it('in one tab signs the others out', () => {
    const shelf = new Shelf();
    const one = setUp(shelf);
    const other = setUp(shelf);
    for (const tab of [one, other]) {
      tab.chat.connection.start();
      tab.last().welcome(USER);
      tab.last().hears({ type: 'message', message: message('my secret', 1) });
    }
    one.chat.forget();
    other.chat.storageChanged('frontdesk:test:left');
    expect(other.chat.store.messages).toEqual([]);
    expect(other.last().hello).toMatchObject({ token: null });
  });
});
