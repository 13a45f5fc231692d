import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Memory } from '../src/storage';
import { Shelf } from './shelf';
import { setUp } from './sockets';

/** A storage that takes nothing any more, as a browser's does that is full. */
class FullShelf extends Shelf {
  full = true;
  override setItem(key: string, value: string): void {
    if (this.full) throw new DOMException('full', 'QuotaExceededError');
    super.setItem(key, value);
  }
}

const TOKEN = `v1.${'a'.repeat(32)}.1.x`;

describe('a storage that is full', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('leaves the visitor who they are when the connection comes back', () => {
    const { chat, last } = setUp(new FullShelf());
    chat.connection.start();
    last().welcome(TOKEN);
    chat.connection.restart();
    expect(last().hello['token']).toBe(TOKEN);
  });

  it('is remembered for, also instead of something older that is still in it', () => {
    const shelf = new FullShelf();
    shelf.full = false;
    const memory = new Memory('desk', shelf);
    memory.set('draft', 'old');
    shelf.full = true;
    memory.set('draft', 'new');
    memory.keepUnsent({ client_msg_id: 'id-1', text: 'hello', button_id: null, attachments: [], at: 1 });
    expect([memory.get('draft'), memory.unsent().map((one) => one.text)]).toEqual(['new', ['hello']]);
    memory.set('draft', null);
    expect(memory.get('draft')).toBeNull();
  });

  it('has everything again once there is room', () => {
    const shelf = new FullShelf();
    const memory = new Memory('desk', shelf);
    memory.set('draft', 'old');
    shelf.full = false;
    memory.set('draft', 'new');
    shelf.setItem('frontdesk:desk:draft', 'of another tab');
    expect(memory.get('draft')).toBe('of another tab');
  });

  it('keeps nobody signed in whom another tab has signed out', () => {
    const shelf = new FullShelf();
    const { chat, last } = setUp(shelf);
    chat.connection.start();
    last().welcome(TOKEN);
    shelf.full = false;
    shelf.setItem('frontdesk:test:left', 'now');
    chat.storageChanged('frontdesk:test:left');
    expect(last().hello['token']).toBeNull();
  });
});
