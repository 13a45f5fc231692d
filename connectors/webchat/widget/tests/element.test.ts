import { afterEach, describe, expect, it, vi } from 'vitest';
import { Memory } from '../src/storage';
import { Shelf } from './shelf';

/** Just enough of a page that the element can be put into it. */
async function elementInPage(hidden: boolean, hasPast: boolean) {
  const listens = { addEventListener: () => undefined };
  vi.stubGlobal('HTMLElement', class {});
  vi.stubGlobal('MutationObserver', class {});
  vi.stubGlobal('window', listens);
  vi.stubGlobal('document', { ...listens, currentScript: null, documentElement: { lang: 'en' } });
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
  const { FrontdeskChat } = await import('../src/element');
  const connection = { start: vi.fn(), stop: vi.fn() };
  const element = Object.create(FrontdeskChat.prototype) as InstanceType<typeof FrontdeskChat>;
  Object.assign(element, {
    words: {}, memory: new Memory('desk', new Shelf()), chat: { connection, hasPast }, panel: { hidden, dataset: {} }, launcher: { dataset: {} },
    pageLanguage: { observe: () => undefined, disconnect: () => undefined }, drawing: true, listening: null,
    getAttribute: () => null, hasAttribute: (name: string) => name === 'open' && !hidden,
  });
  Object.defineProperty(element, 'shadowRoot', { value: {} });
  return { element, connection };
}

afterEach(() => void vi.unstubAllGlobals());

describe('a chat that is moved within the page', () => {
  it('connects again where it was open', async () => {
    const { element, connection } = await elementInPage(false, false);
    element.disconnectedCallback();
    expect(connection.stop).toHaveBeenCalledTimes(1);
    element.connectedCallback();
    expect(connection.start).toHaveBeenCalledTimes(1);
  });

  it('connects for nobody who has never opened it', async () => {
    const { element, connection } = await elementInPage(true, false);
    element.connectedCallback();
    expect(connection.start).not.toHaveBeenCalled();
  });
});

describe('a key of an input method', () => {
  it('closes nothing', async () => {
    const { element } = await elementInPage(false, false);
    const stopped = vi.fn();
    const press = (element as unknown as { onKey(event: unknown): void }).onKey.bind(element);
    press({ key: 'Escape', isComposing: false, keyCode: 229, stopPropagation: stopped });
    press({ key: 'Escape', isComposing: true, keyCode: 27, stopPropagation: stopped });
    expect(stopped).not.toHaveBeenCalled();
  });
});
