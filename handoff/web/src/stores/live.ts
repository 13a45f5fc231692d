// The live socket: events as they happen, reconnect with backoff, and a signal to refetch after every gap.
import { ref } from 'vue'

import type { AlertNews } from '../alerts'
import type { Job } from '../versions'
import type { Author, Conversation, Label, Message, Presence } from '../types'

export type LiveEvent =
  | { type: 'ready' } //: from here on nothing is missed
  | { type: 'pong' }
  | { type: 'error'; code: string; message: string }
  | { type: 'message'; conversation_id: string; message: Message }
  | { type: 'conversation'; conversation: Conversation }
  | { type: 'typing'; conversation_id: string; author: Author; preview?: string; author_name?: string; agent_id?: string }
  | { type: 'viewing'; conversation_id: string | null; agent_id: string; name: string }
  | { type: 'composing'; conversation_id: string; agent_id: string; name: string; mode: 'reply' | 'note' | null }
  | { type: 'received'; conversation_id: string; seq: number; by: string; at: string | null }
  | { type: 'read'; conversation_id: string; seq: number; by: string; at: string | null; holder?: boolean }
  | { type: 'recalled'; conversation_id: string; seq: number; agent_id?: string; name?: string }
  | { type: 'trace'; conversation_id: string; turn_id: string }
  | { type: 'presence'; agent: Presence }
  | { type: 'mention' | 'woke'; conversation_id: string; staff_id: string; seq: number; by_name: string | null }
  | { type: 'notices_seen'; conversation_id: string; staff_id: string; seq: number }
  | { type: 'label'; label: Label }
  | { type: 'contact'; contact_id: string; revision: number | null }
  | { type: 'erased'; contact_id: string }
  | { type: 'gone'; conversation_id: string } //: this person does not see it any more
  | { type: 'offer'; conversation_id: string; agent_id: string | null; until: string | null }
  | { type: 'invited' | 'transferred' | 'barged_in' | 'taken_over'; conversation_id: string; agent_id: string | null; by: string }
  | { type: 'mishaps'; groups: string[]; change: string; by_id: string | null; by_name: string | null }
  | { type: 'replay'; replay_id: string }
  | { type: 'learning_job'; job: Job }
  | { type: 'alert'; change: string; alert: AlertNews; quiet: boolean }
  | { type: 'models'; change: string; model: string; by_id: string | null; by_name: string | null }
  | { type: 'sentiment'; conversation_id: string; message_id: string; seq: number; sentiment: number; sentiment_label: string; anger: number }

export type Connection = 'connecting' | 'open' | 'offline'

const PING_MS = 20_000
const SILENCE_MS = 50_000
const FIRST_RETRY_MS = 700
const LAST_RETRY_MS = 20_000
const SESSION_ENDED = 4401

export type Outgoing =
  | { type: 'ping'; active: boolean }
  | { type: 'typing' | 'viewing'; conversation_id: string | null }
  | { type: 'composing'; conversation_id: string; mode: 'reply' | 'note' | null }

export interface LiveHandlers {
  /** Whether a person did something since the last call: only people keep a session alive. */
  takeActivity(): boolean
  event(event: LiveEvent): void
  /** From now on nothing is missed; whatever happened before must be read again. */
  opened(): void
  sessionEnded(): void
}

export function createLive(handlers: LiveHandlers, url = socketUrl()) {
  const connection = ref<Connection>('connecting')
  let socket: WebSocket | null = null
  let attempts = 0
  let wanted = false
  let lastHeard = 0
  let retryTimer = 0
  let pingTimer = 0

  function start(): void {
    if (wanted) return
    wanted = true
    window.addEventListener('online', retryNow)
    window.addEventListener('offline', lost)
    document.addEventListener('visibilitychange', whenVisible)
    connect()
  }

  function stop(): void {
    wanted = false
    window.removeEventListener('online', retryNow)
    window.removeEventListener('offline', lost)
    document.removeEventListener('visibilitychange', whenVisible)
    clearTimeout(retryTimer)
    clearInterval(pingTimer)
    socket?.close()
    socket = null
    connection.value = 'connecting'
  }

  function connect(): void {
    clearTimeout(retryTimer)
    const current = new WebSocket(url)
    socket = current
    current.onopen = () => {
      if (current !== socket) return
      lastHeard = Date.now()
      clearInterval(pingTimer)
      pingTimer = window.setInterval(beat, PING_MS)
    }
    current.onmessage = (frame: MessageEvent<unknown>) => {
      lastHeard = Date.now()
      const event = parse(frame.data)
      if (event?.type === 'ready') {
        attempts = 0
        connection.value = 'open'
        handlers.opened()
      } else if (event) {
        handlers.event(event)
      }
    }
    current.onclose = (closed) => {
      if (current !== socket) return
      socket = null
      if (closed.code === SESSION_ENDED) {
        stop()
        handlers.sessionEnded()
      } else {
        retryLater()
      }
    }
  }

  function retryLater(): void {
    clearInterval(pingTimer)
    if (!wanted) return
    connection.value = attempts === 0 && navigator.onLine ? 'connecting' : 'offline'
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts)
    attempts += 1
    clearTimeout(retryTimer)
    retryTimer = window.setTimeout(connect, ceiling / 2 + Math.random() * (ceiling / 2))
  }

  function lost(): void {
    const current = socket
    socket = null
    current?.close()
    attempts = Math.max(attempts, 1)
    retryLater()
  }

  function retryNow(): void {
    if (!wanted || socket) return
    attempts = 0
    connect()
  }

  function whenVisible(): void {
    if (document.visibilityState !== 'visible') return
    if (socket && Date.now() - lastHeard > SILENCE_MS) lost()
    retryNow()
  }

  function beat(): void {
    if (Date.now() - lastHeard > SILENCE_MS) lost()
    else send({ type: 'ping', active: handlers.takeActivity() })
  }

  function send(frame: Outgoing): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
  }

  return { connection, start, stop, send, retryNow }
}

export type Live = ReturnType<typeof createLive>

function socketUrl(): string {
  const { protocol, host } = window.location
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/staff/api/live`
}

function parse(data: unknown): LiveEvent | null {
  if (typeof data !== 'string') return null
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && 'type' in value ? (value as LiveEvent) : null
  } catch {
    return null
  }
}
