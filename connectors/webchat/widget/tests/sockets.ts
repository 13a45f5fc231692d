import { vi } from 'vitest';
import { Chat } from '../src/chat';
import type { SocketLike } from '../src/connection';
import { Words } from '../src/i18n';
import type { IdentityAnswer, ServerFrame } from '../src/protocol';
import { Memory } from '../src/storage';
import { Shelf } from './shelf';

export class FakeSocket implements SocketLike {
  readyState = 1;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.readyState = 3;
  }
  get hello(): Record<string, unknown> {
    if (this.sent.length === 0) this.onopen?.(new Event('open'));
    return this.sent[0]!;
  }
  hears(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
  }
  welcome(token: string, identity?: IdentityAnswer): void {
    void this.hello;
    this.hears({ type: 'welcome', token, visitor: '', conversation: null, ...(identity ? { identity } : {}) });
  }
}

/** A chat whose sockets the test answers for. */
export function setUp(shelf = new Shelf(), language: 'zh' | 'en' = 'en') {
  const sockets: FakeSocket[] = [];
  const cleared = vi.fn();
  const around = {
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    fetch: () => Promise.reject(new Error('no network')),
    random: () => 1,
  };
  const chat = new Chat('https://desk.example', new Memory('test', shelf), new Words(language), around, () => undefined, cleared);
  return { chat, shelf, sockets, cleared, last: () => sockets[sockets.length - 1]! };
}
