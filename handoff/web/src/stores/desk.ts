// The desk: one inbox, the transcripts, the live socket, and what agents do with a conversation.
import { computed, reactive, ref, watch } from 'vue'

import { api, ApiError, type ConversationDetail } from '../api'
import { alerts } from './alerts'
import { board } from './board'
import { createAssist } from './assist'
import { createContact } from './contact'
import { createInbox } from './inbox'
import { jobs } from './jobs'
import { anomalies } from './anomalies'
import { mishaps } from './mishaps'
import { modelChanges } from '../live_models'
import { createLive, type LiveEvent } from './live'
import { panels } from './panels'
import { go, place } from './place'
import { readCanned } from './canned'
import { createRinging } from './ringing'
import { search } from './search'
import { session } from './session'
import { teamBook } from './teams'
import { createTranscripts } from './transcript'
import { createTranslations } from './translations'
import { createUploads } from './uploads'
import { createViews } from './views'
import type { Conversation, Presence, PresenceState, Trace } from '../types'

export type Verb = 'accept' | 'transfer' | 'requeue' | 'release' | 'resolve'
export type CompanyVerb = 'invite' | 'join' | 'leave' | 'remove' | 'bargeIn' | 'takeOver' | 'decline'
export interface Target { agentId?: string; agentName?: string; teamId?: string; note?: string; silent?: boolean; overCapacity?: boolean }

const POLL_MS = 15_000
const COMPOSING_MS = 6_000

export const inbox = createInbox(api, (view) => views.filterOf(view)?.sort ?? null)
export const transcripts = createTranscripts(api, Date.now, (message, extras) => {
  if (extras?.original) translations.originals.set(message.id, extras.original)
})
export const views = createViews(api, inbox)
/** How many wait: what this console sees of the whole queue, or else what the server last counted. */
export const waitingCount = computed(() => (inbox.whole('queued') ? inbox.queue.value.length : Math.max(views.read.value?.counts.queued ?? 0, inbox.queue.value.length)))
export const uploads = createUploads(api)
export const live = createLive({ event: onEvent, opened: onOpened, sessionEnded: session.end, takeActivity })

const detail = ref<ConversationDetail | null>(null)
const detailError = ref<{ status: number; message: string } | null>(null)
const traces = ref<Trace[]>([])
const agents = ref<Presence[]>([])
const presence = ref<PresenceState>('online')
const viewers = reactive(new Map<string, { name: string; conversationId: string }>())
const composers = reactive(new Map<string, { name: string; conversationId: string; mode: 'reply' | 'note'; until: number }>())
/** Where the transcript ended when each draft was begun: what colleagues answered since is worth a question. */
const begun = reactive(new Map<string, number>())
const busy = ref<Verb | null>(null)
const drafts = reactive(new Map<string, string>())
export const assist = createAssist(api, drafts, begin)
export const translations = createTranslations(api)
export const contact = createContact(api)
const cameFrom = ref<string | null>(null)
let active = true
let pollTimer = 0

const openId = computed(() => place.conversationId)
const conversation = computed<Conversation | null>(() => {
  const id = openId.value
  return (id && (inbox.known.get(id) ?? (detail.value?.conversation.id === id ? detail.value.conversation : null))) || null
})

const ringing = createRinging({ known: inbox.known, openId, presence, markSeen })

export const desk = { cameFrom, detail, detailError, traces, agents, presence, viewers, composers, begun, busy, drafts, openId, conversation, start, stop, open, begin, run, runCompany, setPresence, markSeen, readAgents }

async function start(): Promise<void> {
  const me = session.staff.value
  if (!me) return
  if (me.id !== inbox.myId.value) {
    drafts.clear()
    begun.clear()
    uploads.clear()
    assist.clear()
  }
  if (session.worksAtDesk.value) void readCanned()
  inbox.myId.value = me.id
  inbox.view.value = place.view
  for (const name of ['pointerdown', 'keydown'] as const) window.addEventListener(name, noteActivity, { passive: true })
  window.addEventListener('focus', markSeen)
  live.start()
  pollTimer = window.setInterval(poll, POLL_MS)
  document.addEventListener('visibilitychange', tellViewing)
  void views.start()
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
  views.stop()
  search.forget()
  transcripts.clear()
  ringing.clear()
  viewers.clear()
  composers.clear()
  detail.value = null
  contact.close()
  traces.value = []
  alerts.badge.value = 0
}

/** A session that ends takes nothing with it: what was not sent is a draft again after signing in. */
function keepUnsent(): void {
  for (const { id, kind, text, read_seq } of transcripts.unsent()) {
    const key = `${id}:${kind}`
    if (read_seq !== undefined) begun.set(key, Math.min(read_seq, begun.get(key) ?? read_seq))
    else if (!begun.has(key)) begin(key, id)
    drafts.set(key, [text, drafts.get(key)].filter(Boolean).join('\n'))
  }
}

/** Notes how far a conversation had come when a draft was begun in it. */
function begin(key: string, id: string): void {
  const { last_seq } = inbox.known.get(id) ?? (detail.value?.conversation.id === id ? detail.value.conversation : {})
  if (last_seq !== undefined) begun.set(key, last_seq)
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
  const past = contact.past.value.some((one) => one.id === id) || (detail.value?.past_conversations.some((one) => one.id === id) ?? false)
  cameFrom.value = past && before && before !== id && cameFrom.value !== id ? before : null
  detail.value = null
  detailError.value = null
  traces.value = []
  panels.handOn = panels.macro = null // what they ask was meant for the conversation before
  if (!past) contact.close()
  if (id && session.staff.value) load(id)
  tellViewing()
})
watch(waitingCount, (count) => session.worksAtDesk.value && (alerts.badge.value = count))

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
    contact.follow(found.conversation.contact_id)
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
  composers.clear()
  catchUp()
  void readAgents()
  void teamBook.read().catch(() => undefined) // the list does without the names of teams
  tellViewing()
}

function catchUp(): void {
  board.resume()
  void inbox.resume()
  void views.start()
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
  views.apply(event)
  board.apply(event)
  contact.apply(event)
  mishaps.apply(event, me.id)
  jobs.apply(event)
  anomalies.apply(event)
  if (event.type === 'models') modelChanges.value += 1
  if ((event.type === 'mention' || event.type === 'woke') && event.staff_id === me.id) ringing.notice(event)
  if (event.type === 'conversation') onConversation(event.conversation)
  if (event.type === 'message' && event.conversation_id === openId.value && watched) markSeen()
  if (event.type === 'trace' && event.conversation_id === openId.value) void readTraces(event.conversation_id)
  if (event.type === 'presence') onPresence(event)
  if (event.type === 'erased') onErased(event.contact_id)
  if (event.type === 'gone') onGone(event.conversation_id)
  if (event.type === 'offer' || event.type === 'invited' || event.type === 'transferred' || event.type === 'taken_over' || event.type === 'barged_in') ringing.company(event)
  if (event.type === 'viewing' && event.agent_id !== me.id) {
    if (event.conversation_id) viewers.set(event.agent_id, { name: event.name, conversationId: event.conversation_id })
    else viewers.delete(event.agent_id)
    if (event.conversation_id !== composers.get(event.agent_id)?.conversationId) composers.delete(event.agent_id)
  }
  if (event.type === 'composing' && event.agent_id !== me.id) {
    const { agent_id, name, mode } = event
    if (mode) composers.set(agent_id, { name, conversationId: event.conversation_id, mode, until: Date.now() + COMPOSING_MS })
    else composers.delete(agent_id)
  }
  if (event.type === 'message' && event.message.author_id) composers.delete(event.message.author_id)
  if (event.type === 'message') ringing.reply(event.conversation_id, event.message)
}

/** A contact was erased: what is left of their conversations is read again, and nothing they said stays on the screen. */
function onErased(contactId: string): void {
  const theirs = inbox.forget(contactId)
  for (const id of theirs) transcripts.forget(id)
  void inbox.resume()
  if (!openId.value || !theirs.includes(openId.value)) return
  transcripts.afresh()
  load(openId.value)
}

/** A conversation went to people whose conversations this person does not see: nothing of it stays on the screen. */
function onGone(id: string): void {
  transcripts.forget(id)
  if (id !== openId.value) return
  detail.value = null
  load(id) // says that it is not there
}

/** Who serves a conversation, which decides what of it is masked. */
function handsOf({ status, agent_id, offered_to, participants }: Conversation): string {
  return JSON.stringify([status, agent_id, offered_to, (participants ?? []).map((one) => one.agent_id)])
}

function onConversation(next: Conversation): void {
  if (next.id === openId.value && detail.value) {
    const moved = detail.value.conversation.status !== next.status
    const mayBeRated = next.status === 'resolved' && !detail.value.rating
    const { contact_id, customer_id } = detail.value.conversation
    const otherHands = handsOf(detail.value.conversation) !== handsOf(next)
    const somebodyElse = contact_id !== next.contact_id || customer_id !== next.customer_id
    if (moved || mayBeRated || somebodyElse || otherHands) void refreshDetail()
    if (otherHands) {
      void transcripts.reread(next.id)
      void contact.refresh()
    }
  }
  ringing.waitsOrGiven(next, busy.value !== null)
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
  if (!id || !seen || place.page || !document.hasFocus()) return // who listens in beside the board reads for nobody
  inbox.seen(id)
  if (session.staff.value?.role === 'auditor') return // auditors leave no marks
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
      transfer: () => (target.teamId ? api.transferToTeam(id, target.teamId, note) : api.transfer(id, target.agentId ?? '', note, target.overCapacity)),
      requeue: () => api.requeue(id, note),
      release: () => api.release(id),
      resolve: () => api.resolve(id, !target.silent),
    }[verb]()
    inbox.change(next)
    void transcripts.read(id)
    void refreshDetail()
  } catch (error) {
    if (error instanceof ApiError && (error.status === 409 || error.status === 403 || error.status === 404)) {
      void inbox.resume()
      void refreshDetail()
      if (error.code === 'at_capacity') void readAgents()
    }
    throw error
  } finally {
    busy.value = null
  }
}

/** What concerns several agents in a conversation, or an offer; `id` need not be the open one. */
async function runCompany(verb: CompanyVerb, id: string, target: Target = {}): Promise<void> {
  const agentId = target.agentId ?? ''
  try {
    const { conversation: next } = await {
      invite: () => api.invite(id, agentId, target.note ?? ''),
      join: () => api.join(id),
      leave: () => api.leave(id),
      remove: () => api.remove(id, agentId),
      bargeIn: () => api.bargeIn(id),
      takeOver: () => api.takeOver(id),
      decline: () => api.decline(id),
    }[verb]()
    inbox.change(next)
    void transcripts.read(id)
  } catch (error) {
    if (error instanceof ApiError && !error.offline) {
      void inbox.resume()
      if (id === openId.value) void refreshDetail()
    }
    throw error
  }
}
