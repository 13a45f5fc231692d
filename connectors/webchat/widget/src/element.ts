// <frontdesk-chat>: the launcher and the panel, put together from the conversation, the list and the composer.
import { Chat } from './chat';
import { Composer } from './composer';
import { h, type Icon, icon } from './dom';
import { languageOf, Words } from './i18n';
import { composes } from './input_method';
import { avatar, MessageList } from './messages';
import type { Identity, IdentityAnswer } from './protocol';
import { browserMemory, type Memory } from './storage';
import css from './styles.css?inline';

// Known only while the script runs for the first time, so it is kept.
const SCRIPT_ORIGIN = originOf((document.currentScript as HTMLScriptElement | null)?.src);
const PHONE = '(max-width: 480px)';

/** Attributes in which a page that is made on the server says who is signed in. */
const USER = ['user-id', 'user-expires', 'user-signature', 'user-name', 'user-email', 'user-phone'];

export class FrontdeskChat extends HTMLElement {
  static readonly observedAttributes = ['language', 'theme', 'title', 'open', ...USER];

  private readonly words = new Words('en');
  private memory!: Memory;
  private chat!: Chat;
  private list!: MessageList;
  private composer!: Composer;
  private launcher!: HTMLButtonElement;
  private badge!: HTMLElement;
  private panel!: HTMLElement;
  private face!: HTMLElement;
  private heading!: HTMLElement;
  private status!: HTMLElement;
  private banner!: HTMLElement;
  private menuButton!: HTMLButtonElement;
  private menu!: HTMLElement;
  private closeButton!: HTMLButtonElement;
  private readonly pageLanguage = new MutationObserver(() => this.readLanguage());
  private listening: AbortController | null = null;
  private drawing = false;
  private label: string | null = null;
  private userId: string | null = null;
  private readingUser = false;

  connectedCallback(): void {
    if (!this.shadowRoot) this.build();
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.pageLanguage.observe(document.documentElement, { attributes: true, attributeFilter: ['lang'] });
    window.addEventListener('online', () => this.chat.connection.nudge(), { signal });
    window.addEventListener('offline', () => this.chat.connection.lost(), { signal });
    window.addEventListener('storage', (event) => this.chat.storageChanged(event.key), { signal });
    window.visualViewport?.addEventListener('resize', () => this.fitKeyboard(), { signal });
    document.addEventListener('visibilitychange', () => this.comeBack(), { signal });
    document.addEventListener('click', (event) => event.composedPath().includes(this.menuButton) || this.toggleMenu(false), { signal });
    this.readLanguage();
    this.applyTheme();
    if (this.hasAttribute('user-id')) this.userChanged();
    const reopen = this.memory.get('open') === '1' && !matchMedia(PHONE).matches;
    if (this.hasAttribute('open') || reopen) this.setOpen(true, false);
    // Moved within the page it is open already, but was disconnected on the way.
    if (this.isOpen || this.chat.hasPast) this.chat.connection.start();
  }

  disconnectedCallback(): void {
    this.listening?.abort();
    this.pageLanguage.disconnect();
    this.chat.connection.stop();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.shadowRoot || before === after) return;
    if (name === 'language') this.readLanguage();
    else if (name === 'theme') this.applyTheme();
    else if (name === 'open') this.setOpen(after !== null, true);
    else if (name === 'title') this.takeTitle();
    else if (USER.includes(name)) this.userChanged();
  }

  /**
   * Say who is signed in on the site; ``signature`` is made on its server. Tells whether the desk took it; if not, the
   * chat goes on anonymously and the browser's console says why.
   */
  identify(user: Partial<Record<keyof Identity, string | number | null>>): Promise<IdentityAnswer> {
    const text = (value: string | number | null | undefined): string | undefined => (value === null || value === undefined || value === '' ? undefined : String(value));
    const { name, email, phone } = { name: text(user.name), email: text(user.email), phone: text(user.phone) };
    return this.chat.identify({
      id: text(user.id) ?? '',
      expires_at: Number(user.expires_at ?? 0),
      signature: text(user.signature) ?? '',
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email }),
      ...(phone === undefined ? {} : { phone }),
    });
  }

  /** The user has signed out of the site: this browser becomes a new visitor's, and shows nothing of what was said. */
  forget(): void {
    this.chat.forget();
    if (this.isOpen) this.chat.connection.start();
  }

  /** Frameworks set attributes one by one, so they are read when all are there. */
  private userChanged(): void {
    if (this.readingUser) return;
    this.readingUser = true;
    queueMicrotask(() => {
      this.readingUser = false;
      const id = this.getAttribute('user-id');
      if (id === null && this.userId !== null) this.forget();
      this.userId = id;
      if (id !== null && this.hasAttribute('user-signature')) void this.identify(this.userInAttributes());
    });
  }

  private userInAttributes(): Partial<Record<keyof Identity, string | null>> {
    const of = (name: string): string | null => this.getAttribute(`user-${name}`);
    return { id: of('id'), expires_at: of('expires'), signature: of('signature'), name: of('name'), email: of('email'), phone: of('phone') };
  }

  /** Open the chat and say something for the visitor, for example the question of a link on the page. */
  ask(text: string): void {
    this.setOpen(true, true);
    if (text.trim() !== '') this.chat.say(text.trim());
    this.list.toEnd(false);
  }

  show(): void {
    this.setOpen(true, true);
  }

  hide(): void {
    this.setOpen(false, true);
  }

  private get isOpen(): boolean {
    return !this.panel.hidden;
  }

  private build(): void {
    const server = originOf(this.getAttribute('server')) ?? SCRIPT_ORIGIN ?? location.origin;
    this.memory = browserMemory(server);
    this.chat = new Chat(
      server,
      this.memory,
      this.words,
      {
        openSocket: (url) => new WebSocket(url),
        fetch: (url, init) => fetch(url, init),
        random: Math.random,
      },
      () => this.update(),
      () => this.composer.clear(),
    );
    this.list = new MessageList(this.chat, this.words, server);
    this.composer = new Composer(this.chat, this.words, () => this.list.toEnd(true), {
      get: () => this.memory.get('draft') ?? '',
      set: (text) => this.memory.set('draft', text === '' ? null : text),
    });
    this.badge = h('span', { class: 'badge', 'aria-hidden': 'true', hidden: true });
    this.launcher = h(
      'button',
      { class: 'launcher', type: 'button', 'aria-expanded': 'false', click: () => this.setOpen(!this.isOpen, true) },
      icon('chat'),
      icon('down'),
      this.badge,
    );
    this.panel = h('section', { class: 'panel', role: 'dialog', hidden: true, keydown: (event: KeyboardEvent) => this.onKey(event) });
    this.face = h('span', { class: 'face' });
    this.heading = h('h2', {});
    this.status = h('p', { role: 'status' });
    this.menuButton = h(
      'button',
      { class: 'tool', type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', click: () => this.toggleMenu(this.menu.hidden) },
      icon('dots'),
    );
    this.menu = h('div', { class: 'menu', role: 'menu', hidden: true });
    this.closeButton = h('button', { class: 'tool', type: 'button', click: () => this.setOpen(false, true) }, icon('close'));
    const tools = h('div', { class: 'tools' }, this.menuButton, this.closeButton, this.menu);
    this.banner = h('div', { class: 'banner', role: 'status', hidden: true });
    this.panel.append(
      h('header', {}, this.face, h('div', { class: 'who' }, this.heading, this.status), tools),
      this.banner,
      this.list.element,
      this.composer.element,
    );
    this.acceptDrops();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    root.append(this.panel, this.launcher);
    this.takeTitle();
  }

  /** A ``title`` attribute would also be a tooltip over the whole chat, so it is taken off the element. */
  private takeTitle(): void {
    const title = this.getAttribute('title');
    if (title === null) return;
    this.label = title;
    this.removeAttribute('title');
    this.update();
  }

  private readLanguage(): void {
    const language = languageOf(this.getAttribute('language')) ?? languageOf(document.documentElement.lang) ?? languageOf(navigator.language) ?? 'en';
    this.words.language = language;
    this.update();
  }

  private applyTheme(): void {
    const theme = this.getAttribute('theme');
    this.panel.dataset['theme'] = this.launcher.dataset['theme'] = theme === 'light' || theme === 'dark' ? theme : 'auto';
  }

  private setOpen(open: boolean, byVisitor: boolean): void {
    if (open === this.isOpen) return;
    this.panel.hidden = !open;
    this.launcher.classList.toggle('is-open', open);
    this.launcher.setAttribute('aria-expanded', String(open));
    this.memory.set('open', open ? '1' : null);
    this.toggleMenu(false);
    this.fitKeyboard();
    if (open) {
      this.chat.connection.start();
      this.update();
      this.draw();
      this.list.toEnd(false);
      // On a phone the keyboard would cover the conversation before it was read.
      if (byVisitor && !matchMedia('(pointer: coarse)').matches) this.composer.focus();
    } else {
      this.chat.store.dividerKey = null;
      this.chat.store.looking = false;
      this.update();
      if (byVisitor) this.launcher.focus();
    }
    if (this.hasAttribute('open') !== open) this.toggleAttribute('open', open);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || composes(event)) return;
    event.stopPropagation();
    if (this.menu.hidden) this.setOpen(false, true);
    else {
      this.toggleMenu(false);
      this.menuButton.focus();
    }
  }

  private toggleMenu(open: boolean): void {
    if (this.menu.hidden === !open) return;
    this.menu.hidden = !open;
    this.menuButton.setAttribute('aria-expanded', String(open));
    if (open) (this.menu.firstElementChild as HTMLElement | null)?.focus();
  }

  private comeBack(): void {
    // The next message may arrive before the next drawing, so this is noted at once.
    this.chat.store.looking = this.isOpen && document.visibilityState === 'visible';
    if (document.visibilityState !== 'visible') return;
    this.chat.connection.nudge();
    this.update();
  }

  /** Phones lay the keyboard over the page: the full-screen panel ends where the keyboard begins. */
  private fitKeyboard(): void {
    const seen = window.visualViewport;
    const covers = this.isOpen && seen !== null && matchMedia(PHONE).matches && seen.height < window.innerHeight - 80;
    this.panel.style.height = covers ? `${seen.height}px` : '';
    if (covers) this.list.toEnd(false);
  }

  private acceptDrops(): void {
    const over = (on: boolean) => (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      this.panel.classList.toggle('dropping', on);
    };
    this.panel.addEventListener('dragover', over(true));
    this.panel.addEventListener('dragleave', over(false));
    this.panel.addEventListener('drop', (event) => {
      over(false)(event);
      this.composer.add([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** Draw once per frame however many messages arrive. */
  private update(): void {
    if (this.drawing || !this.shadowRoot) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      this.draw();
    });
  }

  private draw(): void {
    const { words, chat } = this;
    const { store, connection } = chat;
    store.looking = this.isOpen && document.visibilityState === 'visible';
    if (store.looking) {
      store.markSeen();
      chat.reportRead();
    }
    const title = this.label ?? words.say('title');
    this.panel.lang = this.launcher.lang = words.locale;
    this.panel.setAttribute('aria-label', title);
    this.panel.dataset['drop'] = words.say('dropHere');
    const unread = store.unread > 0 ? ` (${words.say('unread', store.unread)})` : '';
    this.launcher.setAttribute('aria-label', this.isOpen ? words.say('close') : words.say('open') + unread);
    this.badge.hidden = store.unread === 0;
    this.badge.textContent = store.unread > 99 ? '99+' : String(store.unread);
    if (!this.isOpen) return;
    const state = store.conversation;
    const agent = state?.status === 'assigned' ? (state.agent_name ?? null) : null;
    this.heading.textContent = agent ?? title;
    this.status.textContent = this.statusText();
    this.status.className = connection.phase === 'offline' ? 'offline' : (state?.status ?? 'bot');
    this.face.replaceChildren(avatar(agent === null ? 'bot' : 'agent', agent));
    this.menuButton.setAttribute('aria-label', words.say('menu'));
    this.closeButton.setAttribute('aria-label', words.say('close'));
    const item = (name: 'person' | 'elsewhere', message: 'personMessage' | 'elsewhereMessage', picture: Icon): HTMLElement => {
      const say = (): void => {
        this.toggleMenu(false);
        chat.say(words.say(message));
        this.composer.focus();
      };
      return h('button', { type: 'button', role: 'menuitem', click: say }, icon(picture), words.say(name));
    };
    if (this.menu.textContent !== words.say('person') + (store.elsewhere ? words.say('elsewhere') : '')) {
      this.menu.replaceChildren(item('person', 'personMessage', 'person'));
      if (store.elsewhere) this.menu.append(item('elsewhere', 'elsewhereMessage', 'move'));
    }
    this.banner.hidden = connection.phase !== 'offline';
    const kept = store.pending.some((item) => item.state === 'waiting' && !item.seq);
    this.banner.textContent = words.say('offline') + (kept ? ` ${words.say('offlineKept')}` : '');
    this.list.update();
    this.composer.update();
  }

  private waitText(minutes: number | null | undefined): string {
    if (!minutes) return '';
    return minutes < 90 ? this.words.say('waitMinutes', minutes) : this.words.say('waitHours', Math.round(minutes / 60));
  }

  private statusText(): string {
    const state = this.chat.store.conversation;
    const { words } = this;
    if (this.chat.connection.phase === 'connecting' && this.chat.store.messages.length === 0) return words.say('connecting');
    switch (state?.status) {
      case 'queued':
        if (state.closed) return words.say('statusClosed');
        if (state.position === undefined || state.position === null) return words.say('statusQueued');
        return (state.position > 1 ? words.say('statusQueuedAt', state.position - 1) : words.say('statusQueuedNext')) + this.waitText(state.wait_minutes);
      case 'assigned':
        return words.say('statusAssigned');
      case 'resolved':
        return words.say(state.merged ? 'statusMerged' : 'statusResolved');
      default:
        return words.say('statusBot');
    }
  }
}

function originOf(address: string | null | undefined): string | null {
  try {
    return address ? new URL(address, location.href).origin : null;
  } catch {
    return null;
  }
}
