// The lists of conversations: read per view, kept in step with live events, never going back to an older state.
import { computed, reactive, ref } from 'vue'

import { ApiError, type ListedConversation, type api as Api } from '../api'
import type { LiveEvent } from './live'
import type { Conversation, View } from '../types'

export const VIEWS: readonly View[] = ['mine', 'queued', 'bot', 'all', 'resolved']

interface List {
  ids: Set<string>
  cursor: string | null
  loaded: boolean
  loading: boolean
  failed: string | null
}

/** Whether a conversation belongs to a view, by the same rules as the server's lists. */
export function belongs(view: View, conversation: Conversation, myId: string): boolean {
  if (view === 'mine') return conversation.status === 'assigned' && (conversation.agent_id === myId || takesPart(conversation, myId))
  if (view === 'all') return conversation.status !== 'resolved'
  return conversation.status === view
}

/** Whether somebody is invited to, or writes in, a conversation that is another agent's. */
export function takesPart(conversation: Conversation, agentId: string): boolean {
  return conversation.participants?.some((one) => one.agent_id === agentId) ?? false
}

/** Whether `next` is at least as new as `known`. */
export function isNewer(next: Conversation, known: Conversation): boolean {
  return next.updated_at > known.updated_at || (next.updated_at === known.updated_at && next.last_seq >= known.last_seq)
}

/** Serving order for the queue, newest first for everything else. */
export function inOrder(view: View, conversations: ListedConversation[]): ListedConversation[] {
  const byAge = (a: string | null, b: string | null) => ((a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0)
  return [...conversations].sort((a, b) =>
    view === 'queued'
      ? (a.rank_at && b.rank_at ? byAge(a.rank_at, b.rank_at) : b.priority - a.priority) || byAge(a.queued_at, b.queued_at) || byAge(a.id, b.id)
      : byAge(b.updated_at, a.updated_at) || byAge(a.id, b.id),
  )
}

type InboxApi = Pick<typeof Api, 'conversations' | 'conversation'>

export function createInbox(api: InboxApi) {
  const view = ref<View>('mine')
  const myId = ref('')
  const known = reactive(new Map<string, ListedConversation>())
  const lists = reactive(Object.fromEntries(VIEWS.map((name) => [name, emptyList()])) as Record<View, List>)
  const touched = new Map<string, number>() //: when each conversation last changed by an event, as a count of events
  const counted = new Map<string, number>() //: the newest message of each conversation that the unread count has seen
  const asked = new Set<string>()
  let events = 0

  const rowsOf = (name: View) =>
    inOrder(name, [...lists[name].ids].flatMap((id) => known.get(id) ?? []).filter((one) => belongs(name, one, myId.value)))
  const rows = computed(() => rowsOf(view.value))
  const queue = computed(() => rowsOf('queued'))
  const mine = computed(() => rowsOf('mine'))
  const list = computed(() => lists[view.value])

  /** Reads the first page of a view; what events changed since the request went out stays as the events left it. */
  async function refresh(name: View): Promise<void> {
    const since = events
    const target = lists[name]
    target.loading = true
    try {
      const page = await api.conversations(name)
      const changedMeanwhile = [...target.ids].filter((id) => (touched.get(id) ?? 0) > since)
      target.ids = new Set([...page.conversations.map((one) => one.id), ...changedMeanwhile])
      for (const one of page.conversations) put(one)
      target.cursor = page.cursor
      target.failed = null
      target.loaded = true
    } catch (error) {
      target.failed = error instanceof ApiError ? error.message : String(error)
    } finally {
      target.loading = false
    }
  }

  async function more(name: View): Promise<void> {
    const target = lists[name]
    if (!target.cursor || target.loading) return
    target.loading = true
    try {
      const page = await api.conversations(name, target.cursor)
      for (const one of page.conversations) {
        put(one)
        target.ids.add(one.id)
      }
      target.cursor = page.cursor
    } catch (error) {
      target.failed = error instanceof ApiError ? error.message : String(error)
    } finally {
      target.loading = false
    }
  }

  /** Stores a state of a conversation unless a newer one is known, and puts it on every list it belongs to. */
  function put(next: ListedConversation): void {
    const before = known.get(next.id)
    if (before && !isNewer(next, before)) {
      if (next.unread !== undefined && next.last_seq === before.last_seq) before.unread = next.unread
      return
    }
    known.set(next.id, { ...next, unread: next.unread ?? before?.unread ?? 0 })
  }

  function enlist(next: Conversation): void {
    touched.set(next.id, (events += 1))
    for (const name of VIEWS) if (belongs(name, next, myId.value)) lists[name].ids.add(next.id)
  }

  function change(next: Conversation): void {
    put(next)
    enlist(known.get(next.id) ?? next)
  }

  function apply(event: LiveEvent, openId: string | null): void {
    if (event.type === 'conversation') change(event.conversation)
    if (event.type === 'message') applyMessage(event, openId)
  }

  function applyMessage({ conversation_id: id, message }: Extract<LiveEvent, { type: 'message' }>, openId: string | null): void {
    const before = known.get(id)
    if (!before) return void learn(id)
    const fresh = message.seq > (counted.get(id) ?? 0) && message.seq >= before.last_seq
    if (fresh) counted.set(id, message.seq)
    const unread = (before.unread ?? 0) + (fresh && message.author === 'contact' && id !== openId ? 1 : 0)
    const later = message.seq > before.last_seq
    const said = later && message.kind === 'text' && message.text !== ''
    known.set(id, {
      ...before,
      last_seq: Math.max(before.last_seq, message.seq),
      updated_at: message.created_at > before.updated_at ? message.created_at : before.updated_at,
      preview: said ? message.text.slice(0, 200) : before.preview,
      preview_author: said ? message.author : before.preview_author,
      unread,
    })
    enlist(known.get(id)!)
  }

  /** Reads a conversation that an event named and no list has shown yet. */
  async function learn(id: string): Promise<void> {
    if (asked.has(id)) return
    asked.add(id)
    try {
      change((await api.conversation(id)).conversation)
    } catch {
      // The next event or refresh brings it.
    } finally {
      asked.delete(id)
    }
  }

  function seen(id: string): void {
    const one = known.get(id)
    if (one) one.unread = 0
  }

  function show(name: View): void {
    view.value = name
    void refresh(name)
  }

  /** After a gap: the current view and the queue are read again, the other views when they are next shown. */
  async function resume(): Promise<void> {
    const needed = new Set<View>([view.value, 'queued', 'mine'])
    await Promise.all([...needed].map(refresh))
  }

  function clear(): void {
    known.clear()
    for (const name of VIEWS) lists[name] = emptyList()
  }

  return { view, myId, known, lists, rows, queue, mine, list, refresh, more, put, change, apply, seen, show, resume, clear }
}

export type Inbox = ReturnType<typeof createInbox>

function emptyList(): List {
  return { ids: new Set(), cursor: null, loaded: false, loading: false, failed: null }
}
