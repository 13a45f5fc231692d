// One conversation's messages: read page by page, kept in step with live events, with our own messages shown before they are stored.
import { reactive } from 'vue'

import { ApiError, type api as Api, type Outgoing } from '../api'
import type { LiveEvent } from './live'
import type { Attachment, Message } from '../types'

export interface Pending {
  client_msg_id: string
  kind: 'reply' | 'note'
  text: string
  attachments: Attachment[]
  created_at: string
  state: 'sending' | 'failed'
  error: string
  code: string //: of the refusal
  offline: boolean
  extras?: ReplyExtras
  echoed: boolean //: the live socket has shown it already; the answer to our request is still on its way
}

/** What goes with a reply besides its words and files. */
export type ReplyExtras = Pick<Outgoing, 'assist' | 'original' | 'read_seq'>

export interface Transcript {
  id: string
  messages: Message[]
  pending: Pending[]
  loaded: boolean
  failed: string | null
  contactTyping: { preview: string; until: number } | null
}

const TYPING_MS = 6_000
const MAX_PAGES = 500
const KEPT = 20

/** Both lists as one, ordered by seq; an incoming message replaces the one with its seq (a delivery may have failed since). */
export function mergeMessages(known: readonly Message[], incoming: readonly Message[]): Message[] {
  if (incoming.length === 0) return [...known]
  const bySeq = new Map(known.map((message) => [message.seq, message]))
  for (const message of incoming) bySeq.set(message.seq, message)
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq)
}

/** The last seq before the first gap: everything up to it is here, so reading may resume after it. */
export function resumePoint(messages: readonly Message[]): number {
  let seq = 0
  for (const message of messages) {
    if (message.seq !== seq + 1) break
    seq = message.seq
  }
  return seq
}

/** The first message still being sent that this stored one looks like; the live socket can be faster than the answer. */
export function findEcho(pending: readonly Pending[], stored: Message, myId: string): Pending | undefined {
  if (stored.author !== 'agent' || stored.author_id !== myId) return undefined
  const kind = stored.kind === 'note' ? 'note' : 'reply'
  return pending.find((one) => one.state === 'sending' && !one.echoed && one.kind === kind && one.text === stored.text)
}

type MessagesApi = Pick<typeof Api, 'messages' | 'reply' | 'note'>

export function createTranscripts(api: MessagesApi, now: () => number = Date.now, sent: (message: Message, extras?: ReplyExtras) => void = () => undefined) {
  const transcripts = reactive(new Map<string, Transcript>())
  const reading = new Map<string, Promise<void>>()
  const again = new Set<string>()
  const beside = new Set<string>() //: merged into the open one: they stay as long as it is open
  const listening = new Map<string, Set<Map<number, Message>>>()

  function open(id: string): Transcript {
    const known = transcripts.get(id)
    if (known) {
      transcripts.delete(id)
      transcripts.set(id, known)
    } else {
      transcripts.set(id, {
        id, messages: [], pending: [], loaded: false, failed: null, contactTyping: null,
      })
      forgetOldest(id)
    }
    void read(id)
    return transcripts.get(id)!
  }

  function forgetOldest(current: string): void {
    for (const [id, transcript] of transcripts) {
      if (transcripts.size <= KEPT) return
      if (id !== current && !beside.has(id) && transcript.pending.length === 0) transcripts.delete(id)
    }
  }

  /** Read everything after the last gapless message; a read asked for during another one follows it. */
  function read(id: string): Promise<void> {
    const running = reading.get(id)
    if (running) {
      again.add(id)
      return running
    }
    const run = readPages(id).finally(() => {
      reading.delete(id)
      if (again.delete(id)) void read(id)
    })
    reading.set(id, run)
    return run
  }

  /** A page of a conversation. What comes live while it is on its way is newer than what it holds of the same message. */
  async function pageOf(id: string, after: number): Promise<Message[]> {
    const heard = new Map<number, Message>()
    const others = listening.get(id) ?? new Set()
    listening.set(id, others.add(heard))
    try {
      const { messages } = await api.messages(id, after)
      return messages.map((message) => heard.get(message.seq) ?? message)
    } finally {
      others.delete(heard)
      if (others.size === 0) listening.delete(id)
    }
  }

  async function readPages(id: string): Promise<void> {
    try {
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const transcript = transcripts.get(id)
        if (!transcript) return
        const after = resumePoint(transcript.messages)
        const messages = await pageOf(id, after)
        transcript.messages = mergeMessages(transcript.messages, messages)
        transcript.failed = null
        if (messages.length === 0 || resumePoint(transcript.messages) === after) break
      }
      const transcript = transcripts.get(id)
      if (transcript) transcript.loaded = true
    } catch (error) {
      const transcript = transcripts.get(id)
      if (transcript) transcript.failed = error instanceof ApiError ? error.message : String(error)
    }
  }

  /** Everything once more, where something was masked: who serves the conversation now may see more of it. */
  async function reread(id: string): Promise<void> {
    if (!transcripts.get(id)?.messages.some((message) => message.hidden)) return
    try {
      for (let page = 0, after = 0; page < MAX_PAGES; page += 1) {
        const messages = await pageOf(id, after)
        const transcript = transcripts.get(id)
        if (!transcript || messages.length === 0) return
        transcript.messages = mergeMessages(transcript.messages, messages)
        after = messages[messages.length - 1]!.seq
      }
    } catch {
      // what is masked stays masked; opening the conversation again reads it again
    }
  }

  function add(transcript: Transcript, message: Message): void {
    transcript.messages = mergeMessages(transcript.messages, [message])
    if (message.author === 'contact') transcript.contactTyping = null
  }

  function apply(event: LiveEvent, me: { id: string; name: string }): void {
    if (event.type === 'sentiment') return feel(event)
    if (event.type !== 'message' && event.type !== 'typing') return
    const transcript = transcripts.get(event.conversation_id)
    if (!transcript) return
    if (event.type === 'message') {
      const known = transcript.messages.some((message) => message.seq === event.message.seq)
      const echo = known ? undefined : findEcho(transcript.pending, event.message, me.id)
      if (echo) echo.echoed = true
      for (const heard of listening.get(event.conversation_id) ?? []) heard.set(event.message.seq, event.message)
      add(transcript, event.message)
      if (transcript.loaded && resumePoint(transcript.messages) < event.message.seq) void read(event.conversation_id)
    } else if (event.author === 'contact') {
      const preview = event.preview ?? ''
      const cleared = preview === '' && (transcript.contactTyping?.preview ?? '') !== ''
      transcript.contactTyping = cleared ? null : { preview, until: now() + TYPING_MS }
    }
  }

  function feel({ conversation_id, seq, sentiment, sentiment_label, anger }: Extract<LiveEvent, { type: 'sentiment' }>): void {
    const message = transcripts.get(conversation_id)?.messages.find((one) => one.seq === seq)
    if (message) Object.assign(message, { sentiment, sentiment_label, anger })
  }

  async function send(id: string, kind: Pending['kind'], text: string, attachments: Attachment[], extras?: ReplyExtras): Promise<void> {
    const transcript = transcripts.get(id)
    if (!transcript) return
    const client_msg_id = crypto.randomUUID()
    transcript.pending.push({
      client_msg_id, kind, text, attachments, extras, created_at: new Date(now()).toISOString(), state: 'sending', error: '', code: '', offline: false, echoed: false,
    })
    await deliver(id, client_msg_id)
  }

  /** Sends again under the same client_msg_id, so a message that did arrive is not said twice. */
  async function retry(id: string, clientMsgId: string): Promise<void> {
    const one = find(id, clientMsgId)
    if (!one || one.state === 'sending') return
    one.state = 'sending'
    if (!one.offline) one.extras = { ...one.extras, read_seq: undefined } // they have seen why it was refused
    await deliver(id, clientMsgId)
  }

  async function deliver(id: string, clientMsgId: string): Promise<void> {
    const one = find(id, clientMsgId)
    if (!one) return
    const outgoing = { client_msg_id: clientMsgId, text: one.text, attachment_ids: one.attachments.map((file) => file.id), ...one.extras }
    try {
      const { message } = await (one.kind === 'note' ? api.note(id, outgoing) : api.reply(id, outgoing))
      const transcript = transcripts.get(id)
      if (!transcript) return
      discard(id, clientMsgId)
      add(transcript, message)
      sent(message, one.extras)
    } catch (error) {
      const failed = find(id, clientMsgId)
      if (!failed) return
      failed.state = 'failed'
      failed.offline = error instanceof ApiError && error.offline
      failed.echoed &&= failed.offline // what the socket has shown was stored, although its answer was lost
      failed.code = error instanceof ApiError ? error.code : ''
      failed.error = error instanceof Error ? error.message : String(error)
    }
  }

  function find(id: string, clientMsgId: string): Pending | undefined {
    return transcripts.get(id)?.pending.find((one) => one.client_msg_id === clientMsgId)
  }

  function discard(id: string, clientMsgId: string): void {
    const transcript = transcripts.get(id)
    if (transcript) transcript.pending = transcript.pending.filter((one) => one.client_msg_id !== clientMsgId)
  }

  /** After the socket was away: read on in `openId` and what is beside it, send again what only failed for want of a connection, forget the rest. */
  function resume(openId: string | null): void {
    for (const [id, transcript] of [...transcripts]) {
      for (const one of transcript.pending) if (one.state === 'failed' && one.offline) void retry(id, one.client_msg_id)
      if (id === openId || beside.has(id)) void read(id)
      else if (transcript.pending.length === 0) transcripts.delete(id)
    }
  }

  /** The conversations that are read together with the open one. */
  function follow(ids: readonly string[]): void {
    beside.clear()
    for (const id of ids) {
      beside.add(id)
      open(id)
    }
  }

  /** What is beside the open one is read as if for the first time: words may be gone from it. */
  function afresh(): void {
    for (const id of beside) {
      transcripts.delete(id)
      open(id)
    }
  }

  function get(id: string): Transcript | undefined {
    return transcripts.get(id)
  }

  /** What was written and has not been stored, by conversation. */
  function unsent(): { id: string; kind: Pending['kind']; text: string; read_seq?: number }[] {
    return [...transcripts.values()].flatMap(({ id, pending }) => pending.filter((one) => !one.echoed).map(({ kind, text, extras }) => ({ id, kind, text, read_seq: extras?.read_seq })))
  }

  /** A message in a newer form, as an answer of the server brought it. */
  function put(message: Message): void {
    const transcript = transcripts.get(message.conversation_id)
    if (transcript) add(transcript, message)
  }

  /** Lets go of what was said in a conversation. */
  function forget(id: string): void {
    transcripts.delete(id)
  }

  function clear(): void {
    beside.clear()
    transcripts.clear()
  }

  return { open, follow, afresh, get, read, reread, put, unsent, apply, send, retry, discard, resume, forget, clear }
}
