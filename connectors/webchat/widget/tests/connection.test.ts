import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoff, Connection, type Phase, type SocketLike } from '../src/connection';
import type { SayFrame, ServerFrame } from '../src/protocol';

class FakeSocket implements SocketLike {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: string[] = [];
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  accept(token = 'token'): void {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
    this.receive({ type: 'welcome', token, visitor: 'v', conversation: null });
  }
  receive(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
  }
  break(): void {
    this.readyState = 3;
    this.onclose?.({} as CloseEvent);
  }
}

interface Answer {
  status: number;
  body: unknown;
}

function setUp(answer: (path: string) => Answer | Promise<Answer> = () => Promise.reject(new Error('no network'))) {
  const sockets: FakeSocket[] = [];
  const frames: ServerFrame[] = [];
  const phases: Phase[] = [];
  const calls: string[] = [];
  let refusals = 0;
  const connection = new Connection(
    'https://desk.example',
    {
      frame: (frame) => frames.push(frame),
      phase: (phase) => phases.push(phase),
      refused: () => (refusals += 1),
      hello: () => ({ token: null, language: 'zh', after: `${'a'.repeat(32)}:7` }),
    },
    {
      openSocket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      fetch: async (url) => {
        const path = url.replace('https://desk.example', '');
        calls.push(path);
        const { status, body } = await answer(path);
        return new Response(JSON.stringify(body), { status });
      },
      random: () => 1,
    },
  );
  const last = (): FakeSocket => sockets[sockets.length - 1]!;
  return { connection, sockets, frames, phases, calls, last, refusals: () => refusals };
}

const SAY: SayFrame = { type: 'message', client_msg_id: 'id-123456', text: 'hi', button_id: null, attachment_ids: [], language: 'zh' };

describe('the connection', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('says hello with what it has seen and is online after the welcome', () => {
    const { connection, last, phases } = setUp();
    connection.start();
    last().accept();
    expect(JSON.parse(last().sent[0]!)).toMatchObject({ type: 'hello', after: `${'a'.repeat(32)}:7` });
    expect(phases).toEqual(['connecting', 'online']);
    expect(connection.send(SAY)).toBe(true);
  });

  it('waits longer after each failure, and not at all when the network comes back', () => {
    const { connection, last, sockets } = setUp();
    connection.start();
    last().accept();
    last().break();
    expect(connection.phase).toBe('offline');
    expect(connection.send(SAY)).toBe(false);
    vi.advanceTimersByTime(499);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(2);
    last().break();
    connection.nudge();
    expect(sockets).toHaveLength(3);
    expect([0, 1, 2, 10].map((attempt) => backoff(attempt, 1))).toEqual([500, 1000, 2000, 30_000]);
    expect(backoff(1, 0)).toBe(500);
  });

  it('gives up a socket that does not answer a ping', () => {
    const { connection, last } = setUp();
    connection.start();
    last().accept();
    vi.advanceTimersByTime(25_000);
    expect(last().sent[1]).toBe('{"type":"ping"}');
    last().receive({ type: 'pong' });
    vi.advanceTimersByTime(11_000);
    expect(connection.phase).toBe('online');
    vi.advanceTimersByTime(14_000 + 10_000);
    expect(connection.phase).toBe('offline');
  });

  it('polls when sockets failed three times, and goes back to a socket later', async () => {
    let polls = 0;
    const { connection, last, sockets, frames, calls } = setUp((path) => {
      if (path === '/webchat/hello') return { status: 200, body: { type: 'welcome', token: 't', visitor: 'v', conversation: null } };
      if (path === '/webchat/messages') return { status: 200, body: { type: 'ack', client_msg_id: 'id-123456', conversation_id: 'c', seq: 1 } };
      polls += 1;
      if (polls === 1) return { status: 200, body: { frames: [{ type: 'typing', author: 'bot' }] } };
      return new Promise(() => undefined);
    });
    connection.start();
    for (let failure = 0; failure < 3; failure++) {
      last().break();
      await vi.advanceTimersByTimeAsync(2000);
    }
    expect(connection.phase).toBe('online');
    expect(connection.send(SAY)).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(frames.map((frame) => frame.type)).toEqual(['welcome', 'typing', 'ack']);
    expect(calls.filter((path) => path.includes('after='))).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(4);
    last().accept();
    expect(connection.send(SAY)).toBe(true);
    expect(last().sent).toHaveLength(2);
  });

  it('reports a refused message of a poll like the socket does', async () => {
    const { connection, last, frames } = setUp((path) => {
      if (path === '/webchat/hello') return { status: 200, body: { type: 'welcome', token: 't', visitor: 'v', conversation: null } };
      if (path === '/webchat/messages') return { status: 400, body: { error: { code: 'invalid_message', message: 'Too long.' } } };
      return new Promise(() => undefined);
    });
    connection.start();
    for (let failure = 0; failure < 3; failure++) {
      last().break();
      await vi.advanceTimersByTimeAsync(2000);
    }
    connection.send(SAY);
    await vi.advanceTimersByTimeAsync(0);
    expect(frames[1]).toEqual({ type: 'error', client_msg_id: 'id-123456', code: 'invalid_message', message: 'Too long.' });
  });

  it('begins again when the desk does not know the token', () => {
    const { connection, last, refusals, sockets } = setUp();
    connection.start();
    last().readyState = 1;
    last().receive({ type: 'error', code: 'bad_token', message: 'Unknown.' });
    expect([refusals(), sockets.length]).toEqual([1, 2]);
    last().accept();
    expect(connection.phase).toBe('online');
  });

  it('ignores what is not a frame', () => {
    const { connection, last, frames } = setUp();
    connection.start();
    last().accept();
    last().onmessage?.({ data: 'no json' } as MessageEvent);
    last().onmessage?.({ data: 'null' } as MessageEvent);
    expect(frames).toHaveLength(1);
  });
});
