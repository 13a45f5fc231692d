// The desk: one inbox, the transcripts, the live socket, and what agents do with a conversation.
import { computed, reactive, ref, watch } from 'vue'

import { api, ApiError, type ConversationDetail } from '../api'
import { contactName } from '../format'
import { alerts } from './alerts'
import { createAssist } from './assist'
import { createInbox } from './inbox'
import { createLive, type LiveEvent } from './live'
import { go, place } from './place'
import { preferences } from './preferences'
import { session } from './session'
import { createTranscripts } from './transcript'
import { createTranslations } from './translations'
import type { Conversation, Presence, PresenceState, Trace } from '../types'

export type Verb = 'accept' | 'transfer' | 'requeue' | 'release' | 'resolve'
export interface Target { agentId?: string; agentName?: string; note?: string }

const POLL_MS = 15_000

export const inbox = createInbox(api)
export const transcripts = createTranscripts(api, Date.now, (message, extras) => {
  if (extras?.original) translations.originals.set(message.id, extras.original)
})
export const live = createLive({ event: onEvent, opened: onOpened, sessionEnded: session.end, takeActivity })

const detail = ref<ConversationDetail | null>(null)
const detailError = ref<{ status: number; message: string } | null>(null)
const traces = ref<Trace[]>([])
const agents = ref<Presence[]>([])
const presence = ref<PresenceState>('online')
const viewers = reactive(new Map<string, { name: string; conversationId: string }>())
const busy = ref<Verb | null>(null)
const drafts = reactive(new Map<string, string>())
const announced = new Set<string>()
export const assist = createAssist(api, drafts)
export const translations = createTranslations(api)
const cameFrom = ref<string | null>(null)
let active = true
let pollTimer = 0

const openId = computed(() => place.conversationId)
const conversation = computed<Conversation | null>(() => {
  const id = openId.value
  return (id && (inbox.known.get(id) ?? (detail.value?.conversation.id === id ? detail.value.conversation : null))) || null
})

export const desk = { cameFrom, detail, detailError, traces, agents, presence, viewers, busy, drafts, openId, conversation, start, stop, open, run, setPresence, markSeen, readAgents }

async function start(): Promise<void> {
  const me = session.staff.value
  if (!me) return
  if (me.id !== inbox.myId.value) drafts.clear()
  inbox.myId.value = me.id
  inbox.view.value = place.view
  for (const name of ['pointerdown', 'keydown'] as const) window.addEventListener(name, noteActivity, { passive: true })
  window.addEventListener('focus', markSeen)
  live.start()
  pollTimer = window.setInterval(poll, POLL_MS)
  document.addEventListener('visibilitychange', tellViewing)
  await inbox.resume()
  if (openId.value) load(openId.value)
}

function stop(): void {
  live.stop()
  clearInterval(pollTimer)
  keepUnsent()
  document.removeEventListener('visibilitychange', tellViewing)
  for (const name of ['pointerdown', 'keydown'] as const) window.removeEventListener(name, noteActivity)
  window.removeEventListener('focus', markSeen)
  assist.watchOver(null)
  inbox.clear()
  transcripts.clear()
  announced.clear()
  viewers.clear()
  detail.value = null
  traces.value = []
  alerts.badge.value = 0
}

/** A session that ends takes nothing with it: what was not sent is a draft again after signing in. */
function keepUnsent(): void {
  for (const { id, kind, text } of transcripts.unsent()) {
    const key = `${id}:${kind}`
    drafts.set(key, [text, drafts.get(key)].filter(Boolean).join('\n'))
  }
}

/** Where sockets do not get through, the desk still moves on, only slower. */
function poll(): void {
  if (live.connection.value !== 'open' && navigator.onLine) catchUp()
}

function noteActivity(): void {
  active = true
}

function takeActivity(): boolean {
  const was = active
  active = false
  return was
}

watch(() => place.view, (view) => session.staff.value && inbox.show(view))
watch(openId, (id, before) => {
  const past = detail.value?.past_conversations.some((one) => one.id === id) ?? false
  cameFrom.value = past && before && before !== id && cameFrom.value !== id ? before : null
  detail.value = null
  detailError.value = null
  traces.value = []
  if (id && session.staff.value) load(id)
  tellViewing()
})
watch(() => inbox.queue.value.length, (count) => session.worksAtDesk.value && (alerts.badge.value = count))

function open(conversationId: string | null): void {
  go(place.view, conversationId)
}

function load(id: string): void {
  transcripts.open(id)
  void translations.open(id)
  void refreshDetail()
  void readTraces(id)
  markSeen()
}

async function refreshDetail(): Promise<void> {
  const id = openId.value
  if (!id) return
  try {
    const found = await api.conversation(id)
    if (openId.value !== id) return
    detail.value = found
    detailError.value = null
    inbox.put({ ...found.conversation, unread: document.hasFocus() ? 0 : found.conversation.unread })
    markSeen()
  } catch (error) {
    if (openId.value === id && error instanceof ApiError) detailError.value = { status: error.status, message: error.message }
  }
}

async function readTraces(id: string): Promise<void> {
  try {
    const found = await api.traces(id)
    if (openId.value === id) traces.value = found.traces
  } catch {
    // The pane says that there is no trace yet; the next event reads them again.
  }
}

async function readAgents(): Promise<void> {
  try {
    const found = await api.presence()
    agents.value = found.agents
    if (found.state !== 'offline') presence.value = found.state
  } catch {
    // The names already known are shown.
  }
}

function onOpened(): void {
  viewers.clear()
  catchUp()
  void readAgents()
  tellViewing()
}

function catchUp(): void {
  void inbox.resume()
  transcripts.resume(openId.value)
  if (openId.value) {
    void refreshDetail()
    void readTraces(openId.value)
  }
}

function onEvent(event: LiveEvent): void {
  const me = session.staff.value
  if (!me) return
  const watched = document.hasFocus() ? openId.value : null
  inbox.apply(event, watched)
  transcripts.apply(event, me)
  if (event.type === 'conversation') onConversation(event.conversation)
  if (event.type === 'message' && event.conversation_id === openId.value && watched) markSeen()
  if (event.type === 'trace' && event.conversation_id === openId.value) void readTraces(event.conversation_id)
  if (event.type === 'presence') onPresence(event)
  if (event.type === 'viewing' && event.agent_id !== me.id) {
    if (event.conversation_id) viewers.set(event.agent_id, { name: event.name, conversationId: event.conversation_id })
    else viewers.delete(event.agent_id)
  }
}

function onConversation(next: Conversation): void {
  const me = session.staff.value
  const stay = `${next.id}:${next.queued_at}:${next.status}:${next.agent_id}`
  if (next.id === openId.value && detail.value) {
    const moved = detail.value.conversation.status !== next.status
    const mayBeRated = next.status === 'resolved' && !detail.value.rating
    if (moved || mayBeRated) void refreshDetail()
  }
  if (announced.has(stay) || !me || !session.worksAtDesk.value || presence.value === 'away') return
  const given = next.status === 'assigned' && next.agent_id === me.id && busy.value === null
  if (next.status !== 'queued' && !given) return
  announced.add(stay)
  const zh = preferences.language === 'zh'
  const title = next.status === 'queued' ? (zh ? '有客户在等待' : 'A customer is waiting') : zh ? '有会话转给您' : 'A conversation was handed to you'
  alerts.announce(title, contactName(next, preferences.language), () => go(next.status === 'queued' ? 'queued' : 'mine', next.id))
}

function onPresence(event: Extract<LiveEvent, { type: 'presence' }>): void {
  const { agent_id, state } = event.agent
  const known = agents.value.find((one) => one.agent_id === agent_id)
  if (known) known.state = state
  else void readAgents()
  if (agent_id === session.staff.value?.id && state !== 'offline') presence.value = state
}

/** Colleagues see who else has a conversation before their eyes. */
function tellViewing(): void {
  live.send({ type: 'viewing', conversation_id: document.visibilityState === 'visible' ? openId.value : null })
}

/** Tells the server how far this person has read, so the dot is gone on their other devices too. */
function markSeen(): void {
  const id = openId.value
  const seen = id ? inbox.known.get(id) : undefined
  if (!id || !seen || !document.hasFocus()) return
  inbox.seen(id)
  api.seen(id, seen.last_seq).catch(() => undefined)
}

async function setPresence(state: PresenceState): Promise<void> {
  presence.value = (await api.setPresence(state)).state
}

/** Does something with the open conversation; a conflict also reads the list again, since somebody else was quicker. */
async function run(verb: Verb, target: Target = {}): Promise<void> {
  const id = openId.value
  if (!id || busy.value) return
  busy.value = verb
  try {
    const note = target.note ?? ''
    const { conversation: next } = await {
      accept: () => api.accept(id),
      transfer: () => api.transfer(id, target.agentId ?? '', note),
      requeue: () => api.requeue(id, note),
      release: () => api.release(id),
      resolve: () => api.resolve(id),
    }[verb]()
    inbox.change(next)
    void transcripts.read(id)
    void refreshDetail()
  } catch (error) {
    if (error instanceof ApiError && (error.status === 409 || error.status === 403 || error.status === 404)) {
      void inbox.resume()
      void refreshDetail()
    }
    throw error
  } finally {
    busy.value = null
  }
}
