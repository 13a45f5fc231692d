// The conversation behind the view: what is said goes through here, whatever happens to the network.
import { Connection, type Phase, type Surroundings } from './connection';
import { normalContactPoint } from './contact_point';
import type { Words } from './i18n';
import { SiteUser } from './identity';
import type { Attachment, Identity, IdentityAnswer, RatingAnswer, ServerFrame } from './protocol';
import { NOTHING, type RatingState } from './rating_answer';
import { Ratings } from './ratings';
import type { Memory } from './storage';
import { Store } from './store';
import { sendFile } from './upload';

const TYPING_EVERY_MS = 1500;
const READ_AFTER_MS = 600;
const PREVIEW_LENGTH = 300;
const RETRY_SECONDS = 3;
const LONGEST_RETRY_SECONDS = 60;
const RETRIES = 5;
export class Chat {
  readonly store: Store;
  readonly connection: Connection;
  /** What is typed in the form for contact details, and whether it was no address. */
  readonly details = { point: '', bestTime: '', problem: false };
  private readonly tries = new Map<string, number>();
  private readonly ratings: Ratings;
  private typedAt = 0;
  private typedText = '';
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private readTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly reported = new Map<string, number>();
  private paused = false;
  private readonly user = new SiteUser();

  constructor(
    private readonly server: string,
    private readonly memory: Memory,
    private readonly words: Words,
    around: Surroundings,
    private readonly changed: () => void,
    /** Everything of the visitor is gone, so what the view keeps must go as well. */
    private readonly forgotten: () => void = () => undefined,
  ) {
    this.store = new Store(memory);
    this.ratings = new Ratings(memory, (frame) => this.connection.send(frame));
    this.connection = new Connection(
      server,
      {
        frame: (frame) => this.take(frame),
        phase: (phase) => this.phaseChanged(phase),
        refused: () => {
          // The desk has new keys: begin as a new visitor, but keep what was not sent yet.
          this.memory.set('token', null);
          this.store.reset();
          this.token = null;
          this.user.tokenEnded();
          this.changed();
        },
        hello: () => {
          const token = this.memory.get('token');
          // The transcript of somebody who signs in begins anew, so it is asked for as a whole.
          const identity = this.canIdentify ? this.user.waiting : null;
          if (identity !== null) return { token, language: words.language, after: null, identity };
          return { token, language: words.language, after: this.store.cursor };
        },
      },
      around,
    );
  }

  /** Whether there is anything to connect for before the visitor opens the chat. */
  get hasPast(): boolean {
    return this.memory.get('token') !== null || this.store.pending.length > 0;
  }

  say(text: string, buttonId: string | null = null, attachments: Attachment[] = []): void {
    this.store.add(text, buttonId, attachments, newId());
    this.typedText = '';
    clearTimeout(this.typingTimer);
    this.connection.start();
    this.flush();
    this.changed();
  }

  /**
   * The site says who its visitor is. What is on its way is delivered first; then the desk checks the signature, and the
   * promise tells the page what came of it. A chat that was never used asks the desk once it is opened.
   */
  identify(identity: Identity): Promise<IdentityAnswer> {
    const answer = this.user.claim(identity);
    if (this.hasPast) this.connection.start();
    this.identifyNow();
    return answer;
  }

  /** The visitor signs out: this browser is nobody's again, and shows nothing of what was said. */
  forget(): void {
    this.user.forget();
    this.connection.stop();
    this.memory.forget();
    this.memory.set('left', newId()); // which the other tabs hear
    this.becomeNobody();
    this.changed();
  }

  private becomeNobody(): void {
    this.store.forget();
    this.token = null;
    this.ratings.clear();
    this.tries.clear();
    this.reported.clear();
    this.details.point = this.details.bestTime = '';
    this.details.problem = false;
    clearTimeout(this.typingTimer);
    clearTimeout(this.readTimer);
    this.typedText = '';
    this.forgotten();
  }

  private get canIdentify(): boolean {
    return this.memory.get('token') !== null && !this.store.delivering;
  }

  /** Say hello again, this time with the identity, as soon as nothing is on its way in the name of the visitor before. */
  private identifyNow(): void {
    if (this.user.waiting !== null && this.canIdentify && this.connection.phase === 'online') this.connection.restart();
  }

  /** The conversation whose visitor is asked how to reach them, until they have said so or would rather not. */
  get asksDetails(): string | null {
    const state = this.store.conversation;
    if (state?.status !== 'queued' || state.asks_contact_details !== true) return null;
    const onItsWay = this.store.pending.some((item) => item.contact_point !== undefined);
    return onItsWay || this.memory.get(`details:${state.id}`) !== null ? null : state.id;
  }

  /** Send what the form for contact details was given: a message like any other, which names the address as well. */
  sendDetails(): void {
    const point = this.details.point.trim();
    const time = this.details.bestTime.trim();
    if (normalContactPoint(point) === null) {
      this.details.problem = true;
    } else {
      const text = time === '' ? point : `${point}\n${this.words.say('detailsTimeIs', time)}`;
      this.details.problem = false;
      this.store.add(text, null, [], newId(), point);
      this.connection.start();
      this.flush();
    }
    this.changed();
  }

  declineDetails(conversationId: string): void {
    this.memory.set(`details:${conversationId}`, 'no');
    this.changed();
  }

  retry(id: string): void {
    this.tries.delete(id);
    this.store.retry(id);
    this.connection.nudge();
    this.flush();
    this.changed();
  }

  discard(id: string): void {
    this.store.discard(id);
    this.changed();
  }

  typing(text: string): void {
    const now = Date.now();
    clearTimeout(this.typingTimer);
    if (text === this.typedText) return;
    const early = this.typedAt + TYPING_EVERY_MS - now;
    if (text !== '' && early > 0) {
      // The end of what was typed is told as well, only later.
      this.typingTimer = setTimeout(() => this.typing(text), early);
      return;
    }
    this.typedAt = now;
    this.typedText = text;
    this.connection.send({ type: 'typing', preview: text.slice(0, PREVIEW_LENGTH) });
  }

  /** The visitor has everything so far before their eyes; told once they had a moment to read it. */
  reportRead(): void {
    const last = this.store.messages[this.store.messages.length - 1];
    if (!last || last.seq <= (this.reported.get(last.conversation_id) ?? 0)) return;
    clearTimeout(this.readTimer);
    this.readTimer = setTimeout(() => {
      if (!this.store.looking) return;
      const { conversation_id, seq } = last;
      if (this.connection.send({ type: 'read', conversation_id, seq })) this.reported.set(conversation_id, seq);
    }, READ_AFTER_MS);
  }

  rating(conversationId: string): RatingState | null {
    return this.ratings.of(conversationId);
  }

  rate(conversationId: string, answer: RatingAnswer, neverAgain = false): void {
    this.ratings.rate(newId(), conversationId, answer, neverAgain);
    this.changed();
  }

  /** The visitor does not want to be asked any more. */
  neverAsk(conversationId: string): void {
    this.rate(conversationId, { ...NOTHING }, true);
  }

  editRating(conversationId: string): void {
    this.ratings.edit(conversationId);
    this.changed();
  }

  /** Send a file; the promise ends with the stored file, or fails with a sentence for the visitor. */
  async upload(file: File, progress: (share: number) => void): Promise<Attachment> {
    this.connection.start();
    const token = await this.tokenWhenReady();
    return sendFile(this.server, token, file, progress);
  }

  /** Another tab wrote to the storage that all tabs of this visitor share. */
  storageChanged(key: string | null): void {
    if (this.memory.isFor(key, 'seen')) this.store.seenElsewhere();
    else if (this.memory.isFor(key, 'token')) this.adoptToken();
    else if (this.memory.isFor(key, 'left') && this.memory.get('left') !== null) {
      // Another tab has signed the visitor out.
      this.memory.forgetFallback();
      this.becomeNobody();
      this.connection.restart();
    }
    else return;
    this.changed();
  }

  private token: string | null = null;

  private take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.welcomed(frame);
        break;
      case 'message':
        this.store.take(frame.message);
        break;
      case 'ack':
        this.acknowledged(frame);
        break;
      case 'status':
        this.store.takeState({ ...frame, id: frame.conversation_id });
        if (frame.status === 'resolved') this.user.helped();
        break;
      case 'recalled':
        this.store.recall(frame);
        break;
      case 'read':
        this.store.takeRead(frame);
        break;
      case 'typing':
        this.store.takeTyping(frame);
        setTimeout(() => this.changed(), 6100);
        break;
      case 'error':
        this.refused(frame);
        break;
      case 'pong':
        return;
    }
    this.identifyNow();
    this.flush();
    this.changed();
  }

  private welcomed(frame: Extract<ServerFrame, { type: 'welcome' }>): void {
    const stored = this.memory.get('token');
    const before = this.token ?? stored;
    if (frame.identity === undefined && stored !== null && stored !== frame.token && this.token === null && this.store.messages.length === 0) {
      // Two tabs said hello at the same time: the first one to write its token wins, and we become that visitor.
      this.adoptToken();
      return;
    }
    this.token = frame.token;
    if (stored !== frame.token) this.memory.set('token', frame.token);
    if (frame.identity !== undefined) {
      if (before !== null && visitorOf(before) !== visitorOf(frame.token)) this.store.reset();
      this.user.settle(frame.identity, this.words.language);
    }
    this.store.elsewhere = frame.elsewhere === true;
    if (frame.conversation) this.store.takeState(frame.conversation);
    this.ratings.sendAll();
  }

  private adoptToken(): void {
    const stored = this.memory.get('token');
    if (stored === null || stored === this.token) return;
    const sameVisitor = this.token !== null && visitorOf(stored) === visitorOf(this.token);
    this.token = stored;
    if (sameVisitor) return;
    this.store.reset();
    this.connection.restart();
  }

  private acknowledged(frame: Extract<ServerFrame, { type: 'ack' }>): void {
    this.tries.delete(frame.client_msg_id);
    const rating = this.ratings.find(frame.client_msg_id);
    if (rating) this.ratings.taken(rating);
    else if (frame.seq !== undefined) this.store.acknowledge(frame.client_msg_id, frame.conversation_id, frame.seq);
  }

  private refused(frame: Extract<ServerFrame, { type: 'error' }>): void {
    // A frame that could not be read at all names no message; one is on its way at a time.
    const unread = frame.code === 'bad_frame' ? this.store.pending.find((item) => item.state === 'sending')?.client_msg_id : undefined;
    const id = frame.client_msg_id ?? unread;
    if (id === undefined) return;
    const passing = frame.code === 'too_fast' || frame.code === 'unavailable';
    const rating = this.ratings.find(id);
    if (rating) {
      if (passing) this.ratings.again(rating, this.pauseBefore(frame, id));
      else this.ratings.refused(rating, frame.code);
      return;
    }
    if (frame.code === 'bad_contact_point') {
      this.details.problem = true;
      this.store.discard(id);
      return;
    }
    const pause = this.pauseBefore(frame, id);
    if (!passing || this.tries.get(id)! > RETRIES) {
      this.store.fail(id, frame.code);
      return;
    }
    this.store.requeue();
    this.paused = true;
    setTimeout(() => {
      this.paused = false;
      this.flush();
      this.changed();
    }, pause);
  }

  /** How long to wait before this is sent once more, which is counted. */
  private pauseBefore(frame: Extract<ServerFrame, { type: 'error' }>, id: string): number {
    const tries = (this.tries.get(id) ?? 0) + 1;
    this.tries.set(id, tries);
    return 1000 * (frame.retry_after_seconds ?? Math.min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * tries));
  }

  private flush(): void {
    if (this.paused) return;
    const item = this.store.nextToSend();
    if (!item) return;
    const sent = this.connection.send({
      type: 'message',
      client_msg_id: item.client_msg_id,
      text: item.text,
      button_id: item.button_id,
      attachment_ids: item.attachments.map((file) => file.id),
      language: this.words.language,
      ...(item.contact_point === undefined ? {} : { contact_point: item.contact_point }),
    });
    if (sent) item.state = 'sending';
  }

  private phaseChanged(phase: Phase): void {
    if (phase !== 'online') this.store.requeue();
    else this.flush();
    this.changed();
  }

  private async tokenWhenReady(): Promise<string> {
    for (let waited = 0; waited < 100; waited++) {
      if (this.token !== null && this.connection.phase === 'online') return this.token;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('');
  }
}

function visitorOf(token: string): string {
  return token.split('.')[1] ?? token;
}

/** ``crypto.randomUUID`` exists only on https pages; this works on any. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
