// The search page's question and what was found; kept while the agent looks at a result, so that Back returns to the list.
import { reactive, ref } from 'vue'

import { api, ApiError, type ListedConversation, type MessageSearch } from '../api'
import type { Customer, SearchHit } from '../types'

const AFTER_MS = 250

export function createSearch(from: Pick<typeof api, 'search' | 'searchMessages'>) {
  const wanted = reactive<MessageSearch>({ q: '', author: '', channel: '', since: '', until: '' })
  const asked = ref('')
  const hits = ref<SearchHit[]>([])
  const conversations = ref<Record<string, ListedConversation>>({})
  const people = ref<ListedConversation[]>([])
  const customers = ref<Customer[]>([])
  const crmAvailable = ref(true)
  const found = ref(0)
  const next = ref<number | null>(null)
  const busy = ref(false)
  const failed = ref<string | null>(null) //: "" where the server was not reached
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function later(): void {
    clearTimeout(timer)
    turn += 1 // an answer still on its way is to another question
    timer = setTimeout(() => void now(), AFTER_MS)
  }

  async function now(): Promise<void> {
    clearTimeout(timer)
    const mine = (turn += 1)
    const q = wanted.q.trim()
    failed.value = null
    if (!q) return clear()
    busy.value = true
    try {
      const [messages, others] = await Promise.all([from.searchMessages(query(q), 0), from.search(q)])
      if (mine !== turn) return
      asked.value = q
      hits.value = messages.hits
      conversations.value = messages.conversations
      found.value = messages.found
      next.value = messages.next_offset
      people.value = others.conversations.filter((one) => !one.match)
      customers.value = others.customers
      crmAvailable.value = others.crm_available
    } catch (error) {
      if (mine === turn) failed.value = error instanceof ApiError ? error.message : String(error)
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  async function more(): Promise<void> {
    if (next.value === null || busy.value) return
    const mine = turn
    busy.value = true
    try {
      const page = await from.searchMessages(query(asked.value), next.value)
      if (mine !== turn) return
      hits.value = [...hits.value, ...page.hits]
      conversations.value = { ...conversations.value, ...page.conversations }
      next.value = page.next_offset
    } catch (error) {
      if (mine === turn) failed.value = error instanceof ApiError ? error.message : String(error)
    } finally {
      if (mine === turn) busy.value = false
    }
  }

  /** Dates are whole days of the reader's own calendar. */
  function query(q: string): MessageSearch {
    const start = (day: string) => (day ? new Date(`${day}T00:00`).toISOString() : '')
    return { ...wanted, q, since: start(wanted.since), until: start(wanted.until) }
  }

  function clear(): void {
    asked.value = ''
    hits.value = []
    people.value = []
    customers.value = []
    found.value = 0
    next.value = null
    busy.value = false
  }

  function forget(): void {
    turn += 1
    Object.assign(wanted, { q: '', author: '', channel: '', since: '', until: '' })
    clear()
  }

  return { wanted, asked, hits, conversations, people, customers, crmAvailable, found, next, busy, failed, later, now, more, forget }
}

export const search = createSearch(api)
