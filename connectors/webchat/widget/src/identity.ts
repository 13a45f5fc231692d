// Who the site says its visitor is, until the desk has answered, and when it is worth saying again.
import type { Identity, IdentityAnswer, Language } from './protocol';

export class SiteUser {
  /** What the desk has not answered yet. */
  waiting: Identity | null = null;
  private last: Identity | null = null;
  private postponed: Identity | null = null;
  private answered: ((answer: IdentityAnswer) => void) | null = null;

  claim(identity: Identity): Promise<IdentityAnswer> {
    this.answered?.({ ok: false, code: 'replaced' });
    this.waiting = this.last = identity;
    this.postponed = null;
    return new Promise((resolve) => (this.answered = resolve));
  }

  /** The desk has answered; the page's developer reads why it refused. */
  settle(answer: IdentityAnswer, language: Language): void {
    if (answer.code === 'identity_later') this.postponed = this.waiting;
    this.waiting = null;
    if (!answer.ok) console.warn(`[Frontdesk] ${(language === 'zh' ? answer.message_zh : answer.message) ?? answer.code}`);
    this.answered?.(answer);
    this.answered = null;
  }

  /** The agent who helped the visitor is done, so nobody is cut off any more. */
  helped(): void {
    this.waiting ??= this.postponed;
    this.postponed = null;
  }

  /** The token has ended: unless it is said again, the visitor is nobody. */
  tokenEnded(): void {
    this.waiting ??= this.last;
  }

  forget(): void {
    this.answered?.({ ok: false, code: 'forgotten' });
    this.answered = this.waiting = this.last = this.postponed = null;
  }
}
