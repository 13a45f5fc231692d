// Keeps a visitor connected: a socket while it works, polling while it does not, and neither when there is no network.
import type { ClientFrame, Identity, Language, ServerFrame } from './protocol';

export type Phase = 'idle' | 'connecting' | 'online' | 'offline';

export interface Hello {
  token: string | null;
  language: Language;
  after: string | null;
  identity?: Identity;
}

export interface ConnectionEvents {
  frame(frame: ServerFrame): void;
  phase(phase: Phase): void;
  /** The desk does not know our token any more. */
  refused(): void;
  hello(): Hello;
}

export interface SocketLike {
  readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export interface Surroundings {
  openSocket(url: string): SocketLike;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  random(): number;
}

const OPEN = 1;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const WELCOME_MS = 10_000;
const PING_MS = 25_000;
const PONG_MS = 10_000;
const SOCKET_FAILURES_BEFORE_POLLING = 3;
const TRY_SOCKET_AGAIN_MS = 60_000;
const POLL_SECONDS = 25;

export function backoff(attempt: number, random: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.5 + random / 2);
}

export class Connection {
  phase: Phase = 'idle';
  private socket: SocketLike | null = null;
  private polling: AbortController | null = null;
  private token: string | null = null;
  /** What was taken back after this moment of the desk's clock is not known here yet. */
  private since = 0;
  private failures = 0;
  private socketFailures = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private socketTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly server: string,
    private readonly events: ConnectionEvents,
    private readonly around: Surroundings,
  ) {}

  start(): void {
    if (this.phase === 'idle') this.connect();
  }

  stop(): void {
    this.drop();
    this.enter('idle');
  }

  /** Something changed for the better (network back, page in front): try now instead of after the pause. */
  nudge(): void {
    if (this.phase === 'offline') this.connect();
    else if (this.phase === 'online' && this.socket) this.ping();
  }

  /** The browser says that the network is gone. */
  lost(): void {
    if (this.phase !== 'idle') this.failed();
  }

  restart(): void {
    if (this.phase === 'idle') return;
    this.drop();
    this.connect();
  }

  /** Hand a frame over; false when there is no connection to hand it to. */
  send(frame: ClientFrame): boolean {
    if (this.phase !== 'online') return false;
    if (this.socket?.readyState === OPEN) this.socket.send(JSON.stringify(frame));
    else if (this.polling) void this.post(frame);
    else return false;
    return true;
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.enter('connecting');
    if (this.socketFailures >= SOCKET_FAILURES_BEFORE_POLLING) void this.poll();
    else this.open();
  }

  private open(): void {
    let socket: SocketLike;
    try {
      socket = this.around.openSocket(`${this.server.replace(/^http/, 'ws')}/webchat/socket`);
    } catch {
      this.socketFailures += 1;
      this.failed();
      return;
    }
    let welcomed = false;
    const previous = this.socket;
    this.socket = socket;
    previous?.close();
    socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', ...this.events.hello() }));
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      const frame = readFrame(event.data);
      if (!frame) return;
      this.heard();
      if (frame.type === 'welcome') {
        welcomed = true;
        this.socketFailures = 0;
        this.endPolling();
        this.welcomed(frame);
        this.heartbeat = setInterval(() => this.ping(), PING_MS);
      } else if (frame.type === 'error' && frame.code === 'bad_token') {
        this.drop();
        this.events.refused();
        this.connect();
      } else this.events.frame(frame);
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.socket = null;
      if (!welcomed) this.socketFailures += 1;
      if (this.polling) this.trySocketLater();
      else this.failed();
    };
    this.deadline = setTimeout(() => socket.close(), WELCOME_MS);
  }

  private ping(): void {
    if (this.socket?.readyState !== OPEN) return;
    this.socket.send('{"type":"ping"}');
    const socket = this.socket;
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => {
      // The other side is silent: closing can take minutes on a dead network, so we do not wait for it.
      if (socket !== this.socket) return;
      this.failed();
    }, PONG_MS);
  }

  private heard(): void {
    clearTimeout(this.deadline);
  }

  private welcomed(frame: Extract<ServerFrame, { type: 'welcome' }>): void {
    this.token = frame.token;
    this.failures = 0;
    this.enter('online');
    this.events.frame(frame);
  }

  private failed(): void {
    this.drop();
    this.enter('offline');
    const wait = backoff(this.failures, this.around.random());
    this.failures += 1;
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }

  private drop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.deadline);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    clearInterval(this.heartbeat);
    this.endPolling();
  }

  private enter(phase: Phase): void {
    if (phase === this.phase) return;
    this.phase = phase;
    this.events.phase(phase);
  }

  private async poll(): Promise<void> {
    const polling = new AbortController();
    this.polling = polling;
    try {
      const hello = await this.call('/webchat/hello', this.events.hello(), null, polling.signal);
      this.welcomed(hello as Extract<ServerFrame, { type: 'welcome' }>);
      this.trySocketLater();
      while (polling === this.polling) {
        const cursor = this.events.hello().after;
        const query = new URLSearchParams({ wait: String(POLL_SECONDS), since: String(this.since), ...(cursor ? { after: cursor } : {}) });
        const body = await this.call(`/webchat/messages?${query}`, null, this.token, polling.signal);
        if (polling !== this.polling) return;
        const { frames, since } = body as { frames: ServerFrame[]; since?: number };
        this.since = since ?? this.since;
        for (const frame of frames) this.events.frame(frame);
      }
    } catch (error) {
      if (polling !== this.polling) return;
      if (error instanceof Refusal && error.status === 401) {
        this.drop();
        this.events.refused();
        this.connect();
      } else {
        // Perhaps the whole network was away and sockets are fine: give them their chance first.
        if (this.failures === 0) this.socketFailures = 0;
        this.failed();
      }
    }
  }

  private trySocketLater(): void {
    clearTimeout(this.socketTimer);
    this.socketTimer = setTimeout(() => {
      if (this.polling) this.open();
    }, TRY_SOCKET_AGAIN_MS);
  }

  private endPolling(): void {
    clearTimeout(this.socketTimer);
    const polling = this.polling;
    this.polling = null;
    polling?.abort();
  }

  private async post(frame: ClientFrame): Promise<void> {
    const { type, ...body } = frame;
    const path = { message: '/webchat/messages', rating: '/webchat/rating', typing: '/webchat/typing', read: '/webchat/read' }[type];
    try {
      const answer = await this.call(path, body, this.token, undefined);
      if (answer) this.events.frame(answer as ServerFrame);
    } catch (error) {
      const id = 'client_msg_id' in frame ? frame.client_msg_id : undefined;
      if (error instanceof Refusal && error.status < 500 && error.status !== 401 && id) {
        const { code, message, retryAfter } = error;
        const wait = retryAfter === null ? {} : { retry_after_seconds: retryAfter };
        this.events.frame({ type: 'error', client_msg_id: id, code, message, ...wait });
      } else if (type !== 'typing' && type !== 'read') this.failed();
    }
  }

  private async call(path: string, body: object | null, token: string | null, signal?: AbortSignal): Promise<unknown> {
    const response = await this.around.fetch(this.server + path, {
      method: body ? 'POST' : 'GET',
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
      cache: 'no-store',
      credentials: 'omit',
    });
    if (!response.ok) throw await refusal(response);
    return response.status === 204 ? null : response.json();
  }
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly retryAfter: number | null,
  ) {
    super(message);
  }
}

async function refusal(response: Response): Promise<Refusal> {
  const body = (await response.json().catch(() => null)) as { error?: { code?: string; message?: string } } | null;
  const wait = Number(response.headers.get('retry-after'));
  return new Refusal(response.status, body?.error?.code ?? '', body?.error?.message ?? '', wait > 0 ? wait : null);
}

function readFrame(data: unknown): ServerFrame | null {
  try {
    const frame = JSON.parse(String(data)) as ServerFrame;
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}
