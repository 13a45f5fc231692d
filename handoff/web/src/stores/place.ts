// Where in the console we are, kept in the address: `#/queued/<conversation id>`, or `#/prompts` for a page beside the desk.
import { reactive } from 'vue'

import { VIEWS } from './inbox'
import type { View } from '../types'

/** Pages for those who train the bot. */
export const PAGES = ['synonyms', 'prompts', 'rules'] as const
export type Page = (typeof PAGES)[number]
interface Place { page: Page | null; view: View; conversationId: string | null }

export const place = reactive<Place>(read())

function read(): Place {
  const [, view, id] = window.location.hash.split('/')
  return {
    page: PAGES.find((one) => one === view) ?? null,
    view: VIEWS.find((one) => one === view) ?? 'mine',
    conversationId: id && /^[0-9a-f]{32}$/.test(id) ? id : null,
  }
}

window.addEventListener('hashchange', () => Object.assign(place, read()))

export function go(view: View, conversationId: string | null): void {
  Object.assign(place, { page: null, view, conversationId })
  const hash = `#/${view}${conversationId ? `/${conversationId}` : ''}`
  if (window.location.hash !== hash) window.location.hash = hash
}

export function goToPage(page: Page): void {
  place.page = page
  if (window.location.hash !== `#/${page}`) window.location.hash = `#/${page}`
}
