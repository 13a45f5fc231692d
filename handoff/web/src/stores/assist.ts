// Help with the answer to the contact's last message: looked up while somebody looks, stopped when the contact writes again.
import { reactive, ref, type Ref } from 'vue'

import { ApiError, type api as Api } from '../api'
import type { AssistLook, BotAnswer, CardUse, Citation, OriginalText, PhrasedSuggestion } from '../types'
import type { ReplyExtras } from './transcript'

/** Something that can be put into the composer. */
export interface Insertable {
  id: string | null
  key: number
  text: string
  citations: Citation[]
  internal: boolean
}

/** A card that is in the draft of a reply. */
export interface Used { id: string; cite: boolean; citations: Citation[] }

export const PLACEHOLDER = /\[(?:name|number|address|phone or e-mail|link)\]|【(?:姓名|编号|地址|联系方式|链接)】/
const SETTLE_MS = 400 //: people write several lines in a row

type AssistApi = Pick<typeof Api, 'assist' | 'assistBot' | 'assistPhrased' | 'assistInserted' | 'assistRejected'>

/** `begin` is told which draft an inserted card begins. */
export function createAssist(api: AssistApi, drafts: Map<string, string>, begin: (key: string, conversationId: string) => void = () => undefined) {
  const id: Ref<string | null> = ref(null)
  const look: Ref<AssistLook | null> = ref(null)
  const bot: Ref<BotAnswer | null> = ref(null)
  const phrased: Ref<PhrasedSuggestion | null> = ref(null)
  const loading = reactive({ look: false, bot: false, phrased: false })
  const problem: Ref<string | null> = ref(null)
  const rejected = reactive(new Set<string>())
  const used = reactive(new Map<string, Used[]>())
  const originals = reactive(new Map<string, OriginalText>())
  /** Counts up with each insertion: the composer then takes the cursor. */
  const insertions = ref(0)
  let running: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Look for this conversation now, or in a moment when it is the same one and the contact has just written. */
  function watchOver(conversationId: string | null): void {
    clearTimeout(timer)
    const same = conversationId !== null && conversationId === id.value
    stop()
    if (!same) forget()
    id.value = conversationId
    if (conversationId === null) return
    loading.look = true
    if (same) timer = setTimeout(() => void read(conversationId), SETTLE_MS)
    else void read(conversationId)
  }

  function stop(): void {
    clearTimeout(timer)
    running?.abort()
    running = null
    Object.assign(loading, { look: false, bot: false, phrased: false })
  }

  function forget(): void {
    look.value = null
    bot.value = null
    phrased.value = null
    problem.value = null
    rejected.clear()
  }

  async function read(conversationId: string): Promise<void> {
    stop()
    const mine = new AbortController()
    running = mine
    await Promise.all([readLook(conversationId, mine), readBot(conversationId, mine)])
  }

  async function readLook(conversationId: string, mine: AbortController): Promise<void> {
    loading.look = true
    try {
      const found = await api.assist(conversationId, mine.signal)
      if (running !== mine) return
      look.value = found
      phrased.value = null
      problem.value = null
      loading.look = false
      if (found.model && (found.passages.length || found.similar.length)) void readPhrased(conversationId, mine)
    } catch (error) {
      if (running !== mine) return
      loading.look = false
      // The next look is on its way already when the contact has written again.
      const superseded = error instanceof ApiError && error.code === 'assist_superseded'
      problem.value = superseded ? null : error instanceof ApiError ? error.message : String(error)
    }
  }

  async function readBot(conversationId: string, mine: AbortController): Promise<void> {
    loading.bot = true
    try {
      const { bot: found } = await api.assistBot(conversationId, mine.signal)
      if (running === mine) bot.value = found
    } catch {
      if (running === mine) bot.value = null
    } finally {
      if (running === mine) loading.bot = false
    }
  }

  async function readPhrased(conversationId: string, mine: AbortController): Promise<void> {
    loading.phrased = true
    try {
      const found = await api.assistPhrased(conversationId, mine.signal)
      if (running === mine) phrased.value = found.phrased
    } catch {
      // The quoted suggestion is there.
    } finally {
      if (running === mine) loading.phrased = false
    }
  }

  /** Puts a card into the draft of the reply, after what is there; its source goes with it unless it is internal. */
  function insert(conversationId: string, card: Insertable): void {
    const key = `${conversationId}:reply`
    const before = (drafts.get(key) ?? '').trimEnd()
    if (!drafts.get(key)) begin(key, conversationId)
    drafts.set(key, before ? `${before}\n${card.text}` : card.text)
    if (card.id !== null) {
      const citations = card.internal ? [] : card.citations
      const others = (used.get(conversationId) ?? []).filter((one) => one.id !== card.id)
      used.set(conversationId, [...others, { id: card.id, cite: citations.length > 0, citations }])
      api.assistInserted(conversationId, card.id).catch(() => undefined)
    }
    insertions.value += 1
  }

  async function reject(conversationId: string, cardId: string, reason: string): Promise<void> {
    await api.assistRejected(conversationId, cardId, reason)
    rejected.add(cardId)
  }

  function leaveOut(conversationId: string, passageId: string): void {
    for (const one of used.get(conversationId) ?? []) if (one.citations.some((source) => source.passage_id === passageId)) one.cite = false
  }

  /** The sources that go with the draft, each once. */
  function sources(conversationId: string): Citation[] {
    const cited = (used.get(conversationId) ?? []).filter((one) => one.cite).flatMap((one) => one.citations)
    return [...new Map(cited.map((one) => [one.passage_id, one])).values()]
  }

  /** What goes with the reply that is being sent; afterwards the draft is a new one. */
  function take(conversationId: string): ReplyExtras {
    const cards: CardUse[] = (used.get(conversationId) ?? []).map(({ id, cite }) => ({ id, cite }))
    const original = originals.get(conversationId)
    drop(conversationId)
    return { ...(cards.length ? { assist: cards } : {}), ...(original ? { original } : {}) }
  }

  /** The draft was emptied, so nothing of a card is in it any more. */
  function drop(conversationId: string): void {
    used.delete(conversationId)
    originals.delete(conversationId)
  }

  /** Somebody else is at this console now. */
  function clear(): void {
    used.clear()
    originals.clear()
  }

  return { id, look, bot, phrased, loading, problem, rejected, used, originals, insertions, watchOver, stop, read, insert, reject, leaveOut, sources, take, drop, clear }
}

export type Assist = ReturnType<typeof createAssist>
