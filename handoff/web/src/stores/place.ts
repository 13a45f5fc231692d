// Where in the console we are, kept in the address: `#/queued/<conversation id>`, or `#/prompts` for a page beside the desk.
import { reactive } from 'vue'

import { isView } from './inbox'
import type { View } from '../types'

/** Pages beside the desk, and the search over everything; who sees which is decided by `session`. */
export const PAGES = ['live', 'reports', 'reviews', 'alerts', 'teams', 'rules', 'canned', 'macros', 'mishaps', 'knowledge', 'examples', 'models', 'synonyms', 'prompts', 'assist', 'ratings', 'channels', 'access', 'audit', 'search'] as const
export type Page = (typeof PAGES)[number]
/** `seq` is a message to show, such as one that a search found. */
/** `asked` is what a page beside the desk keeps behind the question mark of the address, so that a link shows the same. */
interface Place { page: Page | null; view: View; conversationId: string | null; seq: number | null; asked: string }

export const place = reactive<Place>(read())

function read(): Place {
  const [path = '', asked = ''] = window.location.hash.split('?', 2)
  const [, view, id, seq] = path.split('/')
  return {
    page: PAGES.find((one) => one === view) ?? null,
    view: isView(view) ? view : 'mine',
    conversationId: id && /^[0-9a-f]{32}$/.test(id) ? id : null,
    seq: seq && /^\d{1,9}$/.test(seq) ? Number(seq) : null,
    asked,
  }
}

window.addEventListener('hashchange', () => Object.assign(place, read()))

export function go(view: View, conversationId: string | null, seq: number | null = null): void {
  Object.assign(place, { page: null, view, conversationId, seq: conversationId ? seq : null, asked: '' })
  const hash = `#/${view}${conversationId ? `/${conversationId}${seq ? `/${seq}` : ''}` : ''}`
  if (window.location.hash !== hash) window.location.hash = hash
}

export function goToPage(page: Page, asked = ''): void {
  Object.assign(place, { page, asked })
  const hash = `#/${page}${asked ? `?${asked}` : ''}`
  if (window.location.hash !== hash) window.location.hash = hash
}

/** Listens in on a conversation beside the live board; null: on none. */
export function listenIn(conversationId: string | null): void {
  const hash = conversationId ? `#/live/${conversationId}` : '#/live'
  if (window.location.hash !== hash) window.location.hash = hash
}
