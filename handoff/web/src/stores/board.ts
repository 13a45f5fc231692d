// The live board, kept in step: events say what changed, the server says how it is now; one question at a time.
import { computed, reactive, ref } from 'vue'

import { get } from '../api'
import { boardQuery, fits, type BoardAnswer, type BoardFilter, type BoardQuestion, type BoardRow } from '../board'
import type { LiveEvent } from './live'

const WAIT_MS = 700 //: what happens within it is one question
const TICK_MS = 20_000 //: promises break and forecasts change while nothing happens
const MOST_IDS = 100
const LISTED = 300
const FEW = 200

type Ask = (question: BoardQuestion) => Promise<BoardAnswer>

export function createBoard(ask: Ask, clock: () => number = Date.now) {
  const rows = reactive(new Map<string, BoardRow>())
  const figures = ref<Omit<BoardAnswer, 'conversations'> | null>(null)
  const filter = reactive<BoardFilter>({ state: '', team: '', agent: '', channel: '' })
  const failed = ref<string | null>(null)
  const behind = ref(0) //: how far the server's clock is before this browser's, in milliseconds
  const touched = new Set<string>()
  let watching = 0 //: pages and walls that show the board
  let listing = false //: whether one of them shows conversations
  let whole = false //: whether everything has to be read again
  let due = false
  let busy = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let ticker: ReturnType<typeof setInterval> | undefined
  const shown = computed(() => [...rows.values()].filter((row) => fits(row, filter)))
  /** How many there are besides those that are listed. */
  const beyond = computed(() => (figures.value ? Math.max(0, figures.value.matching - shown.value.length) : 0))

  /** Begins to follow; returns how to stop. Without `conversations` nobody's data are asked for. */
  function watch(conversations: boolean): () => void {
    watching += 1
    listing ||= conversations
    ticker ??= setInterval(() => later(), TICK_MS)
    resume()
    let stopped = false
    return () => {
      if (stopped) return
      stopped = true
      watching -= 1
      if (watching === 0) stop()
    }
  }

  function stop(): void {
    clearTimeout(timer)
    clearInterval(ticker)
    timer = ticker = undefined
    listing = whole = due = false
    touched.clear()
    rows.clear()
    figures.value = null
    failed.value = null
  }

  /** After a gap, or with another filter: nothing that is known counts any more until it was read again. */
  function resume(): void {
    if (watching === 0) return
    whole = true
    due = true
    clearTimeout(timer)
    timer = undefined
    void run()
  }

  function apply(event: LiveEvent): void {
    if (watching === 0) return
    const id = event.type === 'conversation' ? event.conversation.id : 'conversation_id' in event ? event.conversation_id : null
    if (event.type === 'gone') rows.delete(event.conversation_id)
    if (event.type === 'erased') {
      for (const row of [...rows.values()]) if (row.contact_id === event.contact_id) rows.delete(row.id)
      return later()
    }
    if (event.type === 'contact') {
      for (const row of rows.values()) if (row.contact_id === event.contact_id) touched.add(row.id)
      return later()
    }
    if (event.type === 'typing' || event.type === 'viewing' || event.type === 'composing' || event.type === 'read' || event.type === 'received') return
    if (id) touched.add(id)
    if (id || event.type === 'presence') later()
  }

  /** The first change is answered soon, and those that come until then with it. */
  function later(): void {
    due = true
    if (timer === undefined && !busy) timer = setTimeout(() => void run(), WAIT_MS)
  }

  async function run(): Promise<void> {
    timer = undefined
    if (busy || !due || watching === 0) return
    due = false
    busy = true
    const everything = listing && (whole || touched.size > MOST_IDS)
    const asked = [...touched]
    touched.clear()
    whole = false
    const question: BoardQuestion = everything ? { ...filter, limit: LISTED } : listing && asked.length ? { ...filter, ids: asked.join(',') } : { ...filter, limit: 0 }
    const chosen = JSON.stringify(filter)
    try {
      const answer = await ask(question)
      if (watching === 0) return
      take(answer, everything, asked)
      failed.value = null
      if (chosen !== JSON.stringify(filter)) whole = due = true
    } catch (error) {
      failed.value = error instanceof Error ? error.message : String(error)
      if (everything) whole = true
      for (const id of asked) touched.add(id) // asked for again with the next change or tick
    } finally {
      busy = false
      if (due) timer = setTimeout(() => void run(), whole ? 0 : WAIT_MS)
    }
  }

  function take(answer: BoardAnswer, everything: boolean, asked: readonly string[]): void {
    const { conversations, ...rest } = answer
    const found = new Set(conversations.map((row) => row.id))
    for (const id of everything ? [...rows.keys()] : asked) if (!found.has(id)) rows.delete(id)
    for (const row of conversations) rows.set(row.id, row)
    figures.value = rest
    behind.value = Date.parse(answer.now) - clock()
    // Where more fit than are listed, others move up once enough of these are gone.
    if (listing && !everything && beyond.value > 0 && shown.value.length < FEW) whole = due = true
  }

  function choose(next: Partial<BoardFilter>): void {
    Object.assign(filter, next)
    resume()
  }

  return { rows, shown, figures, filter, failed, behind, beyond, watch, apply, resume, choose }
}

export const board = createBoard((question) => get<BoardAnswer>(`live/board?${boardQuery(question)}`))
