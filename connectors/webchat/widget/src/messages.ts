// The list of messages: days, groups, bubbles, quick replies, sources, files, and what is still on its way.
import type { Chat } from './chat';
import { detailsForm } from './details';
import { h, icon, link, linked, safeAddress, written } from './dom';
import type { Words } from './i18n';
import type { Attachment, Message } from './protocol';
import { ratingCard } from './rating';
import { messageKey, type Pending } from './store';

const GROUP_MS = 5 * 60_000;

interface Row {
  key: string;
  /** Everything the row shows; it is drawn again only when this changes. */
  content: string;
  draw(): HTMLElement;
}

export class MessageList {
  readonly element: HTMLElement;
  readonly scroller: HTMLElement;
  private readonly drawn = new Map<string, { content: string; element: HTMLElement }>();
  private readonly latest: HTMLButtonElement;
  private atEnd = true;

  constructor(
    private readonly chat: Chat,
    private readonly words: Words,
    private readonly server: string,
  ) {
    this.scroller = h('div', { class: 'messages', role: 'log', 'aria-live': 'polite', tabindex: 0 });
    this.latest = h('button', { class: 'latest', type: 'button', hidden: true, click: () => this.toEnd(true) }, icon('down'));
    this.element = h('div', { class: 'list' }, this.scroller, this.latest);
    this.scroller.addEventListener('scroll', () => {
      this.atEnd = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 60;
      this.latest.hidden = this.atEnd;
    });
    // Pictures and a growing composer change heights after the fact.
    new ResizeObserver(() => this.atEnd && this.toEnd(false)).observe(this.scroller);
  }

  update(): void {
    this.scroller.setAttribute('aria-label', this.words.say('conversation'));
    this.latest.setAttribute('aria-label', this.words.say('toLatest'));
    const rows = this.rows();
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.drawn) {
      if (keys.has(key)) continue;
      element.remove();
      this.drawn.delete(key);
    }
    let before: Element | null = this.scroller.firstElementChild;
    let grown: HTMLElement | null = null;
    let redrawn = false;
    for (const row of rows) {
      let entry = this.drawn.get(row.key);
      if (entry?.content !== row.content) {
        const element = row.draw();
        if (!entry) grown = element;
        if (entry) {
          redrawn = true;
          if (before === entry.element) before = element;
          entry.element.replaceWith(element);
        }
        entry = { content: row.content, element };
        this.drawn.set(row.key, entry);
      }
      if (entry.element === before) before = before.nextElementSibling;
      else this.scroller.insertBefore(entry.element, before);
    }
    if (grown && this.atEnd) this.follow(grown);
    else if (redrawn && this.atEnd) this.toEnd(false); // buttons may have come to the last one
    this.latest.hidden = this.atEnd;
  }

  /** Keep the newest message in view; one that is higher than the view is shown from its beginning. */
  private follow(newest: HTMLElement): void {
    if (newest.offsetHeight < this.scroller.clientHeight - 24) this.toEnd(false);
    else this.scroller.scrollTop = newest.offsetTop - 12;
  }

  toEnd(smoothly: boolean): void {
    this.atEnd = true;
    const behavior = smoothly && !matchMedia('(prefers-reduced-motion: reduce)').matches ? 'smooth' : 'instant';
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior });
  }

  private rows(): Row[] {
    const { store } = this.chat;
    const { language } = this.words;
    const rows: Row[] = [this.greeting()];
    let day = '';
    store.messages.forEach((message, index) => {
      const moment = new Date(message.created_at);
      if (moment.toDateString() !== day) {
        day = moment.toDateString();
        const title = this.words.day(moment);
        rows.push({ key: `day:${day}`, content: title, draw: () => h('div', { class: 'day' }, title) });
      }
      const key = messageKey(message);
      if (key === store.dividerKey) {
        const title = this.words.say('newMessages');
        rows.push({ key: 'divider', content: title, draw: () => h('div', { class: 'divider' }, h('span', {}, title)) });
      }
      const first = !follows(store.messages[index - 1], message) || key === store.dividerKey;
      const last = !follows(message, store.messages[index + 1]);
      // With a person there is nothing left to choose from, such as leaving the queue.
      const active = index > store.lastFromContact && store.pending.length === 0 && store.conversation?.status !== 'assigned';
      const rating = message.kind === 'rating_request' ? this.chat.rating(message.conversation_id) : null;
      const read = key === store.readKey;
      const content = JSON.stringify([message.recalled, read, language, first, last, active && message.buttons.length > 0, rating, key, message.text]);
      rows.push({ key, content, draw: () => this.message(message, first, last, active, read) });
    });
    for (const item of store.pending) {
      const content = JSON.stringify([language, item.state, item.problem, item.seq, this.chat.connection.phase]);
      rows.push({ key: `pending:${item.client_msg_id}`, content, draw: () => this.pending(item) });
    }
    const asked = this.chat.asksDetails;
    if (store.typing) rows.push({ key: 'typing', content: language, draw: () => this.typing() });
    if (asked !== null) {
      const content = JSON.stringify([language, this.chat.details.problem]);
      rows.push({ key: `details:${asked}`, content, draw: () => detailsForm(asked, this.chat, this.words) });
    }
    return rows;
  }

  private greeting(): Row {
    const lines = [this.words.say('greeting'), this.words.say('greetingMore')];
    const draw = (): HTMLElement =>
      h('div', { class: 'row bot first last' }, avatar('bot', null), h('div', { class: 'stack' }, h('div', { class: 'bubble' }, lines.join('\n'))));
    return { key: 'greeting', content: lines.join(), draw };
  }

  private message(message: Message, first: boolean, last: boolean, active: boolean, read: boolean): HTMLElement {
    if (message.recalled) return h('div', { class: 'system' }, h('p', {}, this.words.say('recalled')));
    if (message.kind === 'rating_request') return ratingCard(message, this.chat, this.words);
    const buttons = active && message.buttons.length > 0 && this.buttons(message);
    if (message.author === 'system') {
      return h('div', { class: 'system' }, h('p', {}, linked(message.text)), buttons);
    }
    const mine = message.author === 'contact';
    const name = this.nameOf(message);
    return h(
      'div',
      { class: `row ${message.author}${first ? ' first' : ''}${last ? ' last' : ''}` },
      !mine && avatar(message.author, message.author_name),
      h(
        'div',
        { class: 'stack' },
        first && !mine ? h('div', { class: 'name' }, name) : h('span', { class: 'unseen' }, `${name}: `),
        message.text !== '' && h('div', { class: 'bubble' }, mine ? linked(message.text) : written(message.text)),
        ...message.attachments.map((file) => this.file(file)),
        message.citations.length > 0 && this.citations(message),
        buttons,
        (last || read) &&
          h(
            'div',
            { class: 'foot' },
            h('time', { datetime: message.created_at }, this.words.time(new Date(message.created_at))),
            read && h('span', { class: 'read' }, `✓✓ ${this.words.say('read')}`),
          ),
      ),
    );
  }

  private pending(item: Pending): HTMLElement {
    const failed = item.state === 'failed';
    const state = item.seq ? 'sent' : failed ? 'failed' : item.state === 'sending' ? 'sending' : 'waiting';
    const sign = icon({ sent: 'check', failed: 'alert', sending: 'clock', waiting: 'clock' }[state] as 'check');
    const text = this.words.say(state);
    return h(
      'div',
      { class: `row contact first last pending ${state}` },
      h(
        'div',
        { class: 'stack' },
        item.text !== '' && h('div', { class: 'bubble' }, linked(item.text)),
        ...item.attachments.map((file) => this.file(file)),
        failed && item.problem && h('div', { class: 'problem' }, this.words.say(item.problem)),
        failed
          ? h(
              'div',
              { class: 'retry' },
              h('button', { type: 'button', click: () => this.chat.retry(item.client_msg_id) }, sign, text),
              h('button', { type: 'button', click: () => this.chat.discard(item.client_msg_id) }, this.words.say('discard')),
            )
          : h('div', { class: 'state' }, sign, text),
      ),
    );
  }

  private typing(): HTMLElement {
    const agent = this.chat.store.conversation?.status === 'assigned';
    const name = agent ? (this.chat.store.conversation?.agent_name ?? null) : null;
    return h(
      'div',
      { class: `row ${agent ? 'agent' : 'bot'} last typing` },
      avatar(agent ? 'agent' : 'bot', name),
      h('div', { class: 'bubble', role: 'status', 'aria-label': this.words.say('typing') }, h('i'), h('i'), h('i')),
    );
  }

  private nameOf(message: Message): string {
    if (message.author === 'contact') return this.words.say('you');
    return message.author_name ?? this.words.say(message.author === 'agent' ? 'agent' : 'bot');
  }

  private buttons(message: Message): HTMLElement {
    const say = (id: string, title: string) => () => {
      this.chat.say(title, id);
      this.toEnd(true);
    };
    return h(
      'div',
      { class: 'replies' },
      ...message.buttons.map((button) => h('button', { type: 'button', click: say(button.id, button.title) }, button.title)),
    );
  }

  private citations(message: Message): HTMLElement {
    const chips = message.citations.map((citation) => {
      const chip = link(citation.url, '', this.server) ?? h('span');
      chip.append(icon('book'), h('span', {}, citation.title));
      chip.title = citation.quote;
      chip.setAttribute('aria-label', `${this.words.say('source')}: ${citation.title}`);
      return chip;
    });
    return h('div', { class: 'sources' }, ...chips);
  }

  private file(file: Attachment): HTMLElement {
    const href = this.addressOf(file);
    if (href !== null && /^image\/(png|jpeg|gif|webp)$/.test(file.media_type)) {
      const picture = h('img', { src: href, alt: file.name, loading: 'lazy', load: () => this.atEnd && this.toEnd(false) });
      return h('a', { class: 'picture', href, target: '_blank', rel: 'noopener' }, picture);
    }
    const label = h('span', {}, h('b', {}, file.name), h('small', {}, this.words.size(file.size)));
    return h('a', { class: 'file', href: href ?? false, target: '_blank', rel: 'noopener' }, icon('file'), label);
  }

  /** Files are fetched from the desk under the name this page knows it by, which its security policy allows. */
  private addressOf(file: Attachment): string | null {
    const href = safeAddress(file.url, this.server);
    if (href === null) return null;
    const { pathname, search } = new URL(href);
    return pathname.startsWith('/files/') ? this.server + pathname + search : href;
  }
}

export function avatar(author: string, name: string | null): HTMLElement {
  const initials = name === null ? '' : /[\u4e00-\u9fff]/.test(name) ? name.slice(-1) : name.slice(0, 1).toUpperCase();
  return h('span', { class: `avatar ${author}`, 'aria-hidden': 'true' }, author === 'agent' && initials !== '' ? initials : icon(author === 'agent' ? 'person' : 'bot'));
}

function follows(before: Message | undefined, after: Message | undefined): boolean {
  if (!before || !after || before.author !== after.author || before.author_name !== after.author_name) return false;
  if (before.kind === 'rating_request' || after.kind === 'rating_request') return false;
  const [earlier, later] = [new Date(before.created_at), new Date(after.created_at)];
  return later.getTime() - earlier.getTime() < GROUP_MS && earlier.toDateString() === later.toDateString();
}
