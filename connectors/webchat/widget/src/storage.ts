// What the browser remembers for a visitor. A page may forbid storage; then the chat works for as long as it is open.
import type { Attachment } from './protocol';

export interface Unsent {
  client_msg_id: string;
  text: string;
  button_id: string | null;
  attachments: Attachment[];
  at: number;
  contact_point?: string;
}

export interface Area {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export class Memory {
  /** What the browser did not take, which is newer than what it has; null: it should be gone. */
  private readonly fallback = new Map<string, string | null>();

  /** One name space per desk: a page may talk to another desk than the page before. */
  constructor(
    private readonly space: string,
    private readonly area: Area | null,
  ) {}

  get(name: string): string | null {
    const kept = this.fallback.get(name);
    if (kept !== undefined) return kept;
    try {
      return this.area?.getItem(this.key(name)) ?? null;
    } catch {
      return null;
    }
  }

  set(name: string, value: string | null): void {
    this.fallback.delete(name);
    try {
      if (value === null) this.area?.removeItem(this.key(name));
      else if (this.area) this.area.setItem(this.key(name), value);
      else this.fallback.set(name, value);
    } catch {
      // Full or forbidden: the copy in memory has to do, also instead of an older one that is still there.
      this.fallback.set(name, value);
    }
  }

  /** Each unsent message has a key of its own, so that two tabs never overwrite each other's. */
  keepUnsent(item: Unsent): void {
    this.set(`unsent:${item.client_msg_id}`, JSON.stringify(item));
  }

  forgetUnsent(id: string): void {
    this.set(`unsent:${id}`, null);
  }

  unsent(): Unsent[] {
    const found: Unsent[] = [];
    for (const name of this.names('unsent:')) {
      try {
        const item = JSON.parse(this.get(name) ?? 'null') as Unsent | null;
        if (item && typeof item.client_msg_id === 'string' && typeof item.text === 'string') found.push(item);
      } catch {
        this.set(name, null);
      }
    }
    return found.sort((a, b) => a.at - b.at);
  }

  /** Everything of the visitor, also what is not sent yet. */
  forget(): void {
    for (const name of this.names('')) this.set(name, null);
  }

  /** What only this page remembers: another tab has emptied the rest. */
  forgetFallback(): void {
    this.fallback.clear();
  }

  /** Whether a storage event of the browser is about this name. */
  isFor(eventKey: string | null, name: string): boolean {
    return eventKey === this.key(name);
  }

  private names(prefix: string): string[] {
    const names = new Set([...this.fallback].flatMap(([name, value]) => (value !== null && name.startsWith(prefix) ? [name] : [])));
    try {
      const full = this.key(prefix);
      for (let index = 0; index < (this.area?.length ?? 0); index++) {
        const name = this.area?.key(index)?.startsWith(full) ? this.area.key(index)!.slice(this.key('').length) : null;
        if (name !== null && this.get(name) !== null) names.add(name);
      }
    } catch {
      // what is in memory is all there is
    }
    return [...names];
  }

  private key(name: string): string {
    return `frontdesk:${this.space}:${name}`;
  }
}

export function browserMemory(server: string): Memory {
  try {
    return new Memory(server, window.localStorage);
  } catch {
    return new Memory(server, null);
  }
}
