import { describe, expect, it } from 'vitest';
import type { Message } from '../src/protocol';
import { Memory } from '../src/storage';
import { messageKey, Store } from '../src/store';
import { Shelf } from './shelf';

const FIRST = 'a'.repeat(32);
const SECOND = 'b'.repeat(32);

function message(seq: number, changes: Partial<Message> = {}): Message {
  return {
    conversation_id: FIRST,
    seq,
    author: 'bot',
    author_name: null,
    kind: 'text',
    text: `message ${seq}`,
    created_at: '2026-11-21T10:00:00.000Z',
    buttons: [],
    citations: [],
    attachments: [],
    ...changes,
  };
}

const seqs = (store: Store): number[] => store.messages.map((one) => one.seq);

describe('the store', () => {
  it('keeps messages in order and once, whatever order they arrive in', () => {
    const store = new Store(new Memory('desk', new Shelf()));
    for (const seq of [1, 3, 2, 3, 1, 4]) store.take(message(seq));
    store.take(message(1, { conversation_id: SECOND }));
    store.take(message(5));
    expect(store.messages.map(messageKey)).toEqual([1, 2, 3, 4, 5].map((n) => `${FIRST}:${n}`).concat(`${SECOND}:1`));
    expect(store.cursor).toBe(`${SECOND}:1`);
  });

  it('replaces a pending message by its committed form, whether the ack or the message comes first', () => {
    const store = new Store(new Memory('desk', new Shelf()));
    store.add('hello', null, [], 'id-1');
    store.acknowledge('id-1', FIRST, 1);
    expect(store.pending).toHaveLength(1);
    store.take(message(1, { author: 'contact' }));
    expect(store.pending).toHaveLength(0);

    store.add('again', null, [], 'id-2');
    store.take(message(2, { author: 'contact' }));
    store.acknowledge('id-2', FIRST, 2);
    expect(store.pending).toHaveLength(0);
    expect(seqs(store)).toEqual([1, 2]);
  });

  it('sends one message at a time, in the order they were written', () => {
    const store = new Store(new Memory('desk', new Shelf()));
    const first = store.add('one', null, [], 'id-1');
    store.add('two', null, [], 'id-2');
    expect(store.nextToSend()).toBe(first);
    first.state = 'sending';
    expect(store.nextToSend()).toBeNull();
    store.acknowledge('id-1', FIRST, 1);
    expect(store.nextToSend()?.client_msg_id).toBe('id-2');
  });

  it('finds unsent messages again after the page was closed, with the same ids', () => {
    const area = new Shelf();
    new Store(new Memory('desk', area), () => 1).add('one', null, [], 'id-1');
    new Store(new Memory('desk', area), () => 2).add('two', null, [], 'id-2');
    const later = new Store(new Memory('desk', area));
    expect(later.pending.map((item) => item.client_msg_id)).toEqual(['id-1', 'id-2']);
    later.take(message(1, { author: 'contact', client_msg_id: 'id-1' }));
    expect(new Store(new Memory('desk', area)).pending.map((item) => item.client_msg_id)).toEqual(['id-2']);
    expect(new Store(new Memory('other desk', area)).pending).toEqual([]);
  });

  it('counts as unread what arrived while nobody looked, and remembers it across pages', () => {
    const area = new Shelf();
    const store = new Store(new Memory('desk', area));
    store.looking = true;
    store.take(message(1));
    store.markSeen();
    store.looking = false;
    store.take(message(2));
    store.take(message(3, { author: 'contact' }));
    store.take(message(4));
    expect([store.unread, store.dividerKey]).toEqual([2, `${FIRST}:2`]);
    const reopened = new Store(new Memory('desk', area));
    for (const seq of [1, 2, 4]) reopened.take(message(seq));
    expect(reopened.unread).toBe(2);
    reopened.markSeen();
    store.seenElsewhere();
    expect([store.unread, store.dividerKey]).toEqual([0, null]);
  });

  it('keeps a failed message for another try with the same id', () => {
    const store = new Store(new Memory('desk', new Shelf()));
    store.add('one', null, [], 'id-1').state = 'sending';
    store.fail('id-1', 'invalid_message');
    expect(store.nextToSend()).toBeNull();
    store.retry('id-1');
    expect(store.nextToSend()).toMatchObject({ client_msg_id: 'id-1', state: 'waiting', problem: null });
  });

  it('works without storage', () => {
    const store = new Store(new Memory('desk', null));
    store.add('one', null, [], 'id-1');
    expect(store.nextToSend()?.text).toBe('one');
  });
});

describe('what an agent took back or has read', () => {
  it('takes the words off the page and out of memory', () => {
    const store = new Store(new Memory('test', new Shelf()));
    store.take(message(1, { author: 'agent', text: 'secret', buttons: [{ id: 'b', title: 'secret' }] }));
    store.recall({ conversation_id: FIRST, seq: 1 });
    store.recall({ conversation_id: FIRST, seq: 9 });
    expect(store.messages.map((one) => [one.text, one.buttons.length, one.recalled])).toEqual([['', 0, true]]);
    expect(JSON.stringify(store.messages)).not.toContain('secret');
  });

  it('marks the last own message an agent has read, and only ever moves on', () => {
    const store = new Store(new Memory('test', new Shelf()));
    for (const seq of [1, 2, 4]) store.take(message(seq, { author: 'contact' }));
    store.takeState({ id: FIRST, status: 'assigned', agent_read_seq: 3 });
    expect(store.readKey).toBe(`${FIRST}:2`);
    store.takeRead({ conversation_id: FIRST, seq: 4 });
    store.takeRead({ conversation_id: FIRST, seq: 2 });
    store.takeRead({ conversation_id: SECOND, seq: 9 });
    expect(store.readKey).toBe(`${FIRST}:4`);
  });
});
