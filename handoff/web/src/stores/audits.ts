// What an auditor is led to from a conversation: its entries on the audit page, and the proof of one turn or entry.
import { reactive } from 'vue'

import { goToPage } from './place'

export type Proven = { n: number } | { conversationId: string; turnId: string }

const state = reactive<{ conversationId: string; proven: Proven | null }>({ conversationId: '', proven: null })

export const audits = {
  state,
  show(conversationId: string): void {
    state.conversationId = conversationId
    goToPage('audit')
  },
  prove(what: Proven): void {
    state.proven = what
  },
}
