// The contact of the open conversation: everything known of them, and what agents change. Nothing typed is lost.
import { reactive, ref } from 'vue'

import { ApiError, type ContactApi, type ContactPane } from '../api'
import type { LiveEvent } from './live'
import type { ContactTicket, Past } from '../types'

export type ContactField = 'name' | 'language' | 'tier' | 'note'
export type CustomerField = 'name' | 'phone' | 'email'
/** What is open on top of the desk; `edit` names the field that is to be edited. */
export interface ContactPanels { ticket: ContactTicket | 'new' | null; merge: boolean; link: boolean; privacy: boolean; edit: ContactField | null }

export function createContact(api: ContactApi, newKey: () => string = key) {
  const pane = ref<ContactPane | null>(null)
  const failed = ref<unknown>(null)
  const loading = ref(false)
  const loadingMore = ref(false)
  const past = ref<Past[]>([])
  const cursor = ref<string | null>(null)
  const panels = reactive<ContactPanels>({ ticket: null, merge: false, link: false, privacy: false, edit: null })
  let wanted: string | null = null
  let asked = 0

  /** Shows this contact; reads again what is shown already. */
  function follow(contactId: string | null): void {
    if (contactId !== wanted) close()
    wanted = contactId
    if (contactId) void refresh()
  }

  function close(): void {
    wanted = null
    asked += 1
    pane.value = null
    failed.value = null
    loading.value = false
    past.value = []
    cursor.value = null
    Object.assign(panels, { ticket: null, merge: false, link: false, privacy: false, edit: null })
  }

  async function refresh(): Promise<void> {
    const id = wanted
    if (!id) return
    const turn = (asked += 1)
    loading.value = pane.value === null
    try {
      const found = await api.contact(id)
      if (turn !== asked) return
      pane.value = found
      failed.value = null
      const again = new Set(found.conversations.map((one) => one.id))
      const further = past.value.filter((one) => !again.has(one.id))
      const kept = past.value.length > found.conversations.length && found.cursor !== null
      past.value = kept ? [...found.conversations, ...further] : found.conversations
      if (!kept) cursor.value = found.cursor
    } catch (error) {
      if (turn === asked) failed.value = error
    } finally {
      if (turn === asked) loading.value = false
    }
  }

  /** The next page of conversations. */
  async function more(): Promise<void> {
    const id = pane.value?.contact.id
    if (!id || !cursor.value || loadingMore.value) return
    loadingMore.value = true
    try {
      const page = await api.contactConversations(id, cursor.value)
      if (pane.value?.contact.id !== id) return
      const known = new Set(past.value.map((one) => one.id))
      past.value = [...past.value, ...page.conversations.filter((one) => !known.has(one.id))]
      cursor.value = page.cursor
    } finally {
      loadingMore.value = false
    }
  }

  function apply(event: LiveEvent): void {
    const known = pane.value
    if (!known || event.type !== 'contact') return
    const ours = event.contact_id === known.contact.id || event.contact_id === wanted || known.together_with.includes(event.contact_id) || known.merges.some((one) => one.source_id === event.contact_id)
    if (ours && !(event.contact_id === known.contact.id && event.revision !== null && event.revision <= known.contact.revision)) void refresh()
  }

  /** Saves one field; throws what the server refused. After a conflict the newer state is shown. */
  async function edit(field: ContactField, value: string, revision: number): Promise<void> {
    const id = pane.value?.contact.id
    if (!id) return
    await settled(async () => {
      const { contact } = await api.editContact(id, { revision, [field]: value })
      if (pane.value?.contact.id === id) pane.value = { ...pane.value, contact }
    })
  }

  async function editCustomer(field: CustomerField, value: string, revision: number): Promise<void> {
    const id = pane.value?.contact.id
    if (!id) return
    await settled(async () => {
      const { customer } = await api.editCustomer(id, { key: newKey(), revision, field, value })
      if (pane.value?.contact.id === id) pane.value = { ...pane.value, customer }
    })
  }

  /** Does something with the contact and reads everything again; throws what the server refused. */
  async function act<T>(work: (contactId: string) => Promise<T>): Promise<T | undefined> {
    const id = pane.value?.contact.id
    if (!id) return undefined
    const done = await settled(() => work(id))
    await refresh()
    return done
  }

  async function settled<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ApiError && (error.status === 409 || error.status === 404)) await refresh()
      throw error
    }
  }

  return { pane, past, cursor, failed, loading, loadingMore, panels, follow, close, refresh, more, apply, edit, editCustomer, act, newKey }
}

function key(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
