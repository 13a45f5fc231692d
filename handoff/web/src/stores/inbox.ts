// The lists of conversations: read per view, kept in step with live events, never going back to an older state.
import { computed, reactive, ref } from 'vue'

import { ApiError, type ConversationPage, type ListedConversation, type api as Api } from '../api'
import type { LiveEvent } from './live'
import { PRIORITIES, type BuiltInView, type Conversation, type Sort, type View } from '../types'

export const VIEWS: readonly BuiltInView[] = ['mine', 'queued', 'team', 'bot', 'all', 'snoozed', 'mentions', 'resolved']

export function isView(name: string | undefined): name is View {
  return name !== undefined && (VIEWS.some((one) => one === name) || /^filter:[0-9a-f]{32}$/.test(name))
}

/** Views whose members only the server knows; they are read again when something changes. */
export function isAsked(view: View): boolean {
  return view === 'team' || view === 'mentions' || view.startsWith('filter:')
}

interface List {
  ids: Set<string>
  /** Those of them that an event brought or changed since they were read: their place may be on a later page. */
  loose: Set<string>
  cursor: string | null
  /** The last one of the last page read, as it was then. */
  end: ListedConversation | null
  pages: number
  turn: number
  loaded: boolean
  loading: boolean
  failed: string | null
}

/** Whether a conversation belongs to a view, by the same rules as the server's lists. */
export function belongs(view: View, conversation: Conversation, myId: string): boolean {
  if (isAsked(view)) return true
  const asleep = !!conversation.snoozed_until
  if (view === 'mine') return conversation.status === 'assigned' && (conversation.agent_id === myId || takesPart(conversation, myId)) && !asleep
  if (view === 'queued') return conversation.status === 'queued' && !asleep
  if (view === 'snoozed') return conversation.status !== 'resolved' && asleep
  if (view === 'all') return conversation.status !== 'resolved'
  return conversation.status === view
}

/** Whether somebody is invited to, or writes in, a conversation that is another agent's. */
export function takesPart(conversation: Conversation, agentId: string): boolean {
  return conversation.participants?.some((one) => one.agent_id === agentId) ?? false
}

/** Whether `next` is at least as new as `known`. */
export function isNewer(next: Conversation, known: Conversation): boolean {
  const [mine, theirs] = [next.revision ?? 0, known.revision ?? 0]
  if (mine !== theirs) return mine > theirs
  return next.updated_at > known.updated_at || (next.updated_at === known.updated_at && next.last_seq >= known.last_seq)
}

/** The chosen order; without one, serving order for the queue and newest first for everything else. */
export function inOrder(view: View, conversations: ListedConversation[], sort: Sort | null = null): ListedConversation[] {
  return [...conversations].sort(orderOf(view, sort))
}

function orderOf(view: View, sort: Sort | null): (a: Conversation, b: Conversation) => number {
  const byAge = (a: string | null, b: string | null) => ((a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0)
  const rank = (one: Conversation) => PRIORITIES.indexOf(one.manual_priority ?? 'none')
  const newest = (a: Conversation, b: Conversation) => byAge(b.updated_at, a.updated_at)
  const orders: Record<Sort | 'serving', (a: Conversation, b: Conversation) => number> = {
    serving: (a, b) => (a.rank_at && b.rank_at ? byAge(a.rank_at, b.rank_at) : b.priority - a.priority) || byAge(a.queued_at, b.queued_at),
    newest,
    oldest: (a, b) => -newest(a, b),
    waiting: (a, b) => byAge(a.waiting_since ?? '9', b.waiting_since ?? '9'),
    priority: (a, b) => rank(b) - rank(a) || newest(a, b),
    opened: (a, b) => byAge(b.opened_at, a.opened_at),
  }
  const order = orders[sort ?? (view === 'queued' ? 'serving' : 'newest')]
  return (a, b) => order(a, b) || byAge(a.id, b.id)
}

type InboxApi = Pick<typeof Api, 'conversations' | 'conversation'>

/** `savedSort` is the order a saved filter comes in. */
export function createInbox(api: InboxApi, savedSort: (view: View) => Sort | null = () => null) {
  const view = ref<View>('mine')
  const myId = ref('')
  const known = reactive(new Map<string, ListedConversation>())
  const lists = reactive(new Map<View, List>(VIEWS.map((name) => [name, emptyList()])))
  const sorts = reactive(new Map<View, Sort>()) //: what was chosen for a view, else its own order
  const touched = new Map<string, number>() //: when each conversation last changed by an event, as a count of events
  const counted = new Map<string, number>() //: the newest message of each conversation that the unread count has seen
  const asked = new Set<string>()
  let events = 0

  const listOf = (name: View): List => {
    if (!lists.has(name)) lists.set(name, emptyList())
    return lists.get(name)!
  }
  const rowsOf = (name: View) => {
    const from = lists.get(name)
    const sort = sorts.get(name) ?? savedSort(name)
    const order = orderOf(name, sort)
    const members = [...(from?.ids ?? [])].flatMap((id) => known.get(id) ?? [])
    // What is not read yet has a gap before it, so what events brought from there waits for its page.
    const read = (one: ListedConversation) => !from?.cursor || !from.end || !from.loose.has(one.id) || order(one, from.end) <= 0
    return inOrder(name, members.filter((one) => belongs(name, one, myId.value) && read(one)), sort)
  }
  const rows = computed(() => rowsOf(view.value))
  const queue = computed(() => rowsOf('queued'))
  const mine = computed(() => rowsOf('mine'))
  const list = computed(() => lists.get(view.value) ?? emptyList())

  /** Reads a view anew, as many pages as are shown; what events changed meanwhile stays as the events left it. */
  async function refresh(name: View): Promise<void> {
    const since = events
    const target = listOf(name)
    const turn = (target.turn += 1)
    target.loading = true
    try {
      const sort = sorts.get(name) ?? null
      let page = await api.conversations(name, null, sort)
      const found = [...page.conversations]
      let pages = 1
      while (page.cursor && pages < target.pages) {
        page = await api.conversations(name, page.cursor, sort)
        found.push(...page.conversations)
        pages += 1
      }
      if (turn !== target.turn) return
      const changedMeanwhile = [...target.ids].filter((id) => (touched.get(id) ?? 0) > since)
      target.ids = new Set([...found.map((one) => one.id), ...changedMeanwhile])
      target.loose = new Set(changedMeanwhile)
      for (const one of found) put(one)
      reached(target, page, found)
      target.pages = pages
      target.loaded = true
    } catch (error) {
      if (turn === target.turn) target.failed = error instanceof ApiError ? error.message : String(error)
    } finally {
      if (turn === target.turn) target.loading = false
    }
  }

  /** Reads the page after the last one. */
  async function more(name: View): Promise<void> {
    const target = listOf(name)
    if (!target.cursor || target.loading) return
    const since = events
    const turn = (target.turn += 1)
    target.loading = true
    try {
      const page = await api.conversations(name, target.cursor, sorts.get(name) ?? null)
      if (turn !== target.turn) return
      for (const one of page.conversations) {
        put(one)
        target.ids.add(one.id)
        if ((touched.get(one.id) ?? 0) <= since) target.loose.delete(one.id)
      }
      reached(target, page, page.conversations)
      target.pages += 1
    } catch (error) {
      if (turn === target.turn) target.failed = error instanceof ApiError ? error.message : String(error)
    } finally {
      if (turn === target.turn) target.loading = false
    }
  }

  function reached(target: List, page: ConversationPage, found: ListedConversation[]): void {
    target.cursor = page.cursor
    target.end = found[found.length - 1] ?? target.end
    target.failed = null
  }

  /** Whether everything that belongs to a view has been read. */
  function whole(name: View): boolean {
    const target = lists.get(name)
    return target?.loaded === true && !target.cursor
  }

  /** Stores a state of a conversation unless a newer one is known, and puts it on every list it belongs to. */
  function put(next: ListedConversation): void {
    const before = known.get(next.id)
    if (before && !isNewer(next, before)) {
      if (next.unread !== undefined && next.last_seq === before.last_seq) {
        before.unread = next.unread
        count(next.id, next.last_seq)
      }
      return
    }
    if (next.unread !== undefined) count(next.id, next.last_seq)
    known.set(next.id, { ...next, ...furthest(next, before), unread: next.unread ?? before?.unread ?? 0, unseen: next.unseen ?? before?.unseen })
  }

  /** The unread count knows of every message up to this one, so its event does not add to it. */
  function count(id: string, seq: number): void {
    counted.set(id, Math.max(seq, counted.get(id) ?? 0))
  }

  function enlist(next: Conversation): void {
    touched.set(next.id, (events += 1))
    for (const name of VIEWS) if (!isAsked(name) && belongs(name, next, myId.value)) {
      listOf(name).ids.add(next.id)
      listOf(name).loose.add(next.id)
    }
  }

  function change(next: Conversation): void {
    put(next)
    enlist(known.get(next.id) ?? next)
  }

  function apply(event: LiveEvent, openId: string | null): void {
    if (event.type === 'conversation') change(event.conversation)
    if (event.type === 'gone') known.delete(event.conversation_id)
    if (event.type === 'message') applyMessage(event, openId)
    if (event.type === 'read') applyRead(event)
    if (event.type === 'received') applyReceived(event)
    if (event.type === 'mention' || event.type === 'woke' || event.type === 'notices_seen') notice(event)
  }

  function notice(event: Extract<LiveEvent, { staff_id: string }>): void {
    const one = known.get(event.conversation_id)
    if (!one || event.staff_id !== myId.value) return
    if (event.type === 'notices_seen') one.unseen = {}
    else one.unseen = { ...one.unseen, [event.type]: (one.unseen?.[event.type] ?? 0) + 1 }
  }

  function applyMessage({ conversation_id: id, message }: Extract<LiveEvent, { type: 'message' }>, openId: string | null): void {
    const before = known.get(id)
    if (!before) return void learn(id)
    const fresh = message.seq > (counted.get(id) ?? 0) && message.seq >= before.last_seq
    if (fresh) count(id, message.seq)
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

  /** The contact has read so far, or we have in another tab or on another device. */
  function applyRead({ conversation_id: id, seq, by, at }: Extract<LiveEvent, { type: 'read' }>): void {
    const before = known.get(id)
    if (!before) return
    if (by === 'contact' && seq > (before.contact_read_seq ?? 0)) known.set(id, { ...before, contact_read_seq: seq, contact_read_at: at })
    if (by === myId.value && seq >= before.last_seq) before.unread = 0
  }

  /** A channel tells that our words came to the contact's device. */
  function applyReceived({ conversation_id: id, seq }: Extract<LiveEvent, { type: 'received' }>): void {
    const before = known.get(id)
    if (before && seq > (before.contact_received_seq ?? 0)) known.set(id, { ...before, contact_received_seq: seq })
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
    listOf(name).pages = 1
    void refresh(name)
  }

  function sortBy(name: View, sort: Sort | null): void {
    if (sort) sorts.set(name, sort)
    else sorts.delete(name)
    listOf(name).pages = 1
    void refresh(name)
  }

  /** After a gap: the current view and the queue are read again, the other views when they are next shown. */
  async function resume(): Promise<void> {
    const needed = new Set<View>([view.value, 'queued', 'mine'])
    await Promise.all([...needed].map(refresh))
  }

  /** Lets go of everything known of a contact who was erased; returns their conversations. */
  function forget(contactId: string): string[] {
    const theirs = [...known.values()].filter((one) => one.contact_id === contactId).map((one) => one.id)
    for (const id of theirs) known.delete(id)
    return theirs
  }

  function clear(): void {
    known.clear()
    lists.clear()
  }

  return { view, myId, known, lists, sorts, sortBy, rows, queue, mine, list, whole, refresh, more, put, change, apply, seen, show, resume, forget, clear }
}

export type Inbox = ReturnType<typeof createInbox>

/** Read marks only move forward, also when an older state of the conversation arrives late. */
function furthest(next: Conversation, before: Conversation | undefined): Pick<Conversation, 'contact_read_seq' | 'contact_read_at' | 'contact_received_seq'> {
  const newest = (before?.contact_read_seq ?? 0) > (next.contact_read_seq ?? 0) ? before : next
  const received = Math.max(before?.contact_received_seq ?? 0, next.contact_received_seq ?? 0)
  return { contact_read_seq: newest?.contact_read_seq ?? 0, contact_read_at: newest?.contact_read_at ?? null, contact_received_seq: received }
}

function emptyList(): List {
  return { ids: new Set(), loose: new Set(), cursor: null, end: null, pages: 1, turn: 0, loaded: false, loading: false, failed: null }
}
