// Builds elements. Text is only ever set as text, so nothing a customer or an agent writes can become markup.
type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | null | ((event: never) => void)>;

export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, value as EventListener);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

const LINK = /\b(?:https?:\/\/|mailto:|tel:)[^\s<>"'，。；！？、（）《》【】“”‘’]+/gi;

/** A text with its addresses as links; only http, https, mailto and tel become one. */
export function linked(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(/[.,;:!?)\]}]+$/, '');
    fragment.append(text.slice(end, match.index));
    fragment.append(link(address, address) ?? address);
    end = match.index + address.length;
  }
  fragment.append(text.slice(end));
  return fragment;
}

const ROW = /^\s*\|.*\|\s*$/;
const RULE = /^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/;
const cells = (row: string): string[] => row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());

/** A text with its addresses as links and its Markdown tables as tables. */
export function written(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const lines = text.split('\n');
  let plain: string[] = [];
  const flush = (): void => {
    if (plain.length) fragment.append(linked(plain.join('\n')));
    plain = [];
  };
  for (let at = 0; at < lines.length; ) {
    if (!ROW.test(lines[at] ?? '') || !RULE.test(lines[at + 1] ?? '')) {
      plain.push(lines[at++] ?? '');
      continue;
    }
    while (plain.at(-1) === '') plain.pop();
    flush();
    const names = cells(lines[at] ?? '').map((name) => h('th', { scope: 'col' }, linked(name)));
    const rows: HTMLElement[] = [];
    for (at += 2; at < lines.length && ROW.test(lines[at] ?? ''); at++) {
      rows.push(h('tr', {}, ...cells(lines[at] ?? '').map((value) => h('td', {}, linked(value)))));
    }
    fragment.append(h('div', { class: 'table', tabindex: 0 }, h('table', {}, h('thead', {}, h('tr', {}, ...names)), h('tbody', {}, ...rows))));
  }
  flush();
  return fragment;
}

export function link(address: string, title: string, base?: string): HTMLAnchorElement | null {
  const href = safeAddress(address, base);
  if (href === null) return null;
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, title);
}

export function safeAddress(address: string, base?: string): string | null {
  try {
    const url = new URL(address, base);
    return ['http:', 'https:', 'mailto:', 'tel:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const PATHS = {
  chat: 'M12 3.2c5 0 9 3.4 9 7.8s-4 7.8-9 7.8c-1 0-2-.14-2.9-.4L4.6 20.6c-.5.24-1-.2-.87-.73l.9-3.5C3.6 15 3 13.1 3 11c0-4.4 4-7.8 9-7.8Z',
  down: 'm6 9.5 6 6 6-6',
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M12 19.5V5M5.5 11.3 12 4.8l6.5 6.5',
  clip: 'm20 11.5-8 8a5.3 5.3 0 0 1-7.5-7.5l8.3-8.3a3.5 3.5 0 0 1 5 5l-8.2 8.2a1.7 1.7 0 0 1-2.5-2.4l7.6-7.6',
  person: 'M12 11.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6ZM4.5 20.2c.6-3.7 3.7-6 7.5-6s6.9 2.3 7.5 6',
  file: 'M7 3.5h6.5L18.5 8.5v11a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1ZM13.2 3.7v5h5',
  book: 'M5 5.2c2.6-.9 5-.6 7 .9 2-1.5 4.4-1.8 7-.9v13.1c-2.6-.9-5-.6-7 .9-2-1.5-4.4-1.8-7-.9ZM12 6.1v13.1',
  star: 'm12 3.6 2.6 5.3 5.8.85-4.2 4.1 1 5.8L12 16.9l-5.2 2.750 1-5.8-4.2-4.1 5.8-.85Z',
  move: 'M4.5 8.5h12.5M13.500 4.800 17.200 8.500l-3.700 3.700M19.500 15.500H7M10.500 11.800 6.800 15.500l3.700 3.700',
  check: 'm5.5 12.5 4.3 4.3 8.7-9.3',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 7.8V12l2.8 2',
  alert: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v4.6M12 15.8v.2',
  dots: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  bot: 'M8.2 8h7.6A3.2 3.2 0 0 1 19 11.2v3.6a3.2 3.2 0 0 1-3.2 3.2H8.2A3.2 3.2 0 0 1 5 14.8v-3.6A3.2 3.2 0 0 1 8.2 8ZM12 8V5M9.5 12.4v.8M14.5 12.4v.8M2.8 12v2.5M21.2 12v2.5',
};

export type Icon = keyof typeof PATHS;

export function icon(name: Icon): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  for (const [key, value] of Object.entries({ viewBox: '0 0 24 24', 'aria-hidden': 'true', class: `icon i-${name}` })) {
    svg.setAttribute(key, value);
  }
  return svg;
}
