import { beforeEach, describe, expect, it } from 'vitest';
import points from '../../../../tests/crm/contact_points.json';
import { Chat } from '../src/chat';
import { normalContactPoint } from '../src/contact_point';
import { Words } from '../src/i18n';
import type { SayFrame } from '../src/protocol';
import { Memory } from '../src/storage';
import { Shelf } from './shelf';

const CONVERSATION = 'c'.repeat(32);

/** A chat whose connection only remembers what it would send, and can be told what the desk answers. */
function chatOn(shelf: Shelf): { chat: Chat; sent: SayFrame[]; hears: (frame: object) => void } {
  const chat = new Chat('https://desk.example', new Memory('test', shelf), new Words('en'), {} as never, () => undefined);
  const sent: SayFrame[] = [];
  chat.connection.start = () => undefined;
  chat.connection.send = (frame) => {
    if (frame.type === 'message') sent.push(frame);
    return true;
  };
  const hears = (frame: object): void => (chat as unknown as { take(frame: object): void }).take(frame);
  return { chat, sent, hears };
}

const asks = (asked: boolean, status = 'queued'): object => ({ type: 'status', conversation_id: CONVERSATION, status, asks_contact_details: asked });

describe('a phone number or e-mail address', () => {
  it.each(points as [string, string | null][])('%j is read as the service reads it', (text, point) => {
    expect(normalContactPoint(text)).toBe(point);
  });
});

describe('the form for contact details', () => {
  let shelf: Shelf;
  beforeEach(() => {
    shelf = new Shelf();
  });

  it('is shown when the service asks, and only then', () => {
    const { chat, hears } = chatOn(shelf);
    expect(chat.asksDetails).toBeNull();
    hears(asks(true));
    expect(chat.asksDetails).toBe(CONVERSATION);
    hears({ type: 'status', conversation_id: CONVERSATION, status: 'queued', closed: true });
    expect(chat.asksDetails).toBe(CONVERSATION);
    hears(asks(true, 'assigned'));
    expect(chat.asksDetails).toBeNull();
  });

  it('sends a message that names the address, once, and is gone until the service has answered', () => {
    const { chat, sent, hears } = chatOn(shelf);
    hears(asks(true));
    Object.assign(chat.details, { point: ' 138-0013-2468 ', bestTime: 'after 2 pm' });
    chat.sendDetails();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ text: '138-0013-2468\nBest time: after 2 pm', contact_point: '138-0013-2468' });
    expect(chat.asksDetails).toBeNull();
    hears({ type: 'ack', client_msg_id: sent[0]?.client_msg_id, conversation_id: CONVERSATION, seq: 4 });
    hears(asks(false));
    expect(chat.asksDetails).toBeNull();
    expect(sent).toHaveLength(1);
  });

  it('keeps what was typed when it is no address, here or for the service', () => {
    const { chat, sent, hears } = chatOn(shelf);
    hears(asks(true));
    chat.details.point = '138001';
    chat.sendDetails();
    expect([sent.length, chat.details.problem]).toEqual([0, true]);
    chat.details.point = '13800132468';
    chat.sendDetails();
    expect(chat.details.problem).toBe(false);
    hears({ type: 'error', client_msg_id: sent[0]?.client_msg_id, code: 'bad_contact_point', message: 'no' });
    expect([chat.details.problem, chat.asksDetails, chat.store.pending.length]).toEqual([true, CONVERSATION, 0]);
  });

  it('is sent again after a lost connection with the same id and address, also by a page opened anew', () => {
    const first = chatOn(shelf);
    first.hears(asks(true));
    first.chat.details.point = 'lin@example.com';
    first.chat.sendDetails();
    const second = chatOn(shelf);
    second.hears(asks(true));
    expect(second.chat.asksDetails).toBeNull();
    expect(second.sent[0]).toMatchObject({ client_msg_id: first.sent[0]?.client_msg_id, contact_point: 'lin@example.com' });
  });

  it('is not shown again to a visitor who would rather wait', () => {
    const { chat, hears } = chatOn(shelf);
    hears(asks(true));
    chat.declineDetails(CONVERSATION);
    expect(chat.asksDetails).toBeNull();
    const again = chatOn(shelf);
    again.hears(asks(true));
    expect(again.chat.asksDetails).toBeNull();
  });
});
