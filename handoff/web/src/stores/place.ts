// Where in the console we are, kept in the address: `#/queued/<conversation id>`, or `#/prompts` for a page beside the desk.
import { reactive } from 'vue'

import { isView } from './inbox'
import type { View } from '../types'

/** Pages beside the desk, and the search over everything; who sees which is decided by `session`. */
export const PAGES = ['teams', 'rules', 'canned', 'macros', 'mishaps', 'knowledge', 'examples', 'models', 'synonyms', 'prompts', 'assist', 'ratings', 'channels', 'access', 'audit', 'search'] as const
export type Page = (typeof PAGES)[number]
/** `seq` is a message to show, such as one that a search found. */
interface Place { page: Page | null; view: View; conversationId: string | null; seq: number | null }

export const place = reactive<Place>(read())

function read(): Place {
  const [, view, id, seq] = window.location.hash.split('/')
  return {
    page: PAGES.find((one) => one === view) ?? null,
    view: isView(view) ? view : 'mine',
    conversationId: id && /^[0-9a-f]{32}$/.test(id) ? id : null,
    seq: seq && /^\d{1,9}$/.test(seq) ? Number(seq) : null,
  }
}

window.addEventListener('hashchange', () => Object.assign(place, read()))

export function go(view: View, conversationId: string | null, seq: number | null = null): void {
  Object.assign(place, { page: null, view, conversationId, seq: conversationId ? seq : null })
  const hash = `#/${view}${conversationId ? `/${conversationId}${seq ? `/${seq}` : ''}` : ''}`
  if (window.location.hash !== hash) window.location.hash = hash
}

export function goToPage(page: Page): void {
  place.page = page
  if (window.location.hash !== `#/${page}`) window.location.hash = `#/${page}`
}
