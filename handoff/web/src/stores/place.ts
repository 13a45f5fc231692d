// Where in the console we are, kept in the address: `#/queued/<conversation id>`.
import { reactive } from 'vue'

import { VIEWS } from './inbox'
import type { View } from '../types'

export const place = reactive<{ view: View; conversationId: string | null }>(read())

function read(): { view: View; conversationId: string | null } {
  const [, view, id] = window.location.hash.split('/')
  return {
    view: VIEWS.find((one) => one === view) ?? 'mine',
    conversationId: id && /^[0-9a-f]{32}$/.test(id) ? id : null,
  }
}

window.addEventListener('hashchange', () => Object.assign(place, read()))

export function go(view: View, conversationId: string | null): void {
  Object.assign(place, { view, conversationId })
  const hash = `#/${view}${conversationId ? `/${conversationId}` : ''}`
  if (window.location.hash !== hash) window.location.hash = hash
}
