// The trainers' inbox as it is looked at: the list, the open group, and what others do meanwhile.
import { computed, reactive, ref } from 'vue'

import { api, ApiError } from '../api'
import { detailOf, type DecisionKind, type MishapDecision, type MishapFilters, type MishapPage, type MishapSeen, type MishapSuggestion, type MishapWish } from '../mishaps'
import type { LiveEvent } from './live'

type MishapsEvent = Extract<LiveEvent, { type: 'mishaps' }>
/** Somebody was quicker: what they did, and what was wanted here. */
export interface Conflict { by: string; change: string; mine: MishapWish; theirs: MishapDecision | null }

const AGAIN_MS = 400
const CAME_MS = 2500

export function createMishaps(server: Pick<typeof api, 'mishaps' | 'mishap' | 'mishapSuggestions' | 'decideMishap' | 'undoMishap'> = api) {
  const filters = reactive<MishapFilters>({ state: 'new', sort: 'frequent', reasons: [], language: '', channel: '', days: 0, q: '' })
  const page = ref<MishapPage | null>(null)
  const problem = ref<string | null>(null) //: why the list was not read; "" where the server was not reached
  const loading = ref(true)
  const openId = ref<string | null>(null)
  const seen = ref<MishapSeen | null>(null)
  const unread = ref<string | null>(null) //: why the open group was not read, likewise
  const suggestions = ref<MishapSuggestion[]>([])
  const suggesting = ref(false)
  const conflict = ref<Conflict | null>(null)
  const meanwhile = ref<{ by: string; change: string } | null>(null)
  const lastMade = ref<MishapDecision | null>(null)
  let asked = 0
  let watching = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const groups = computed(() => page.value?.groups ?? [])

  async function read(): Promise<void> {
    const mine = ++asked
    loading.value = true
    try {
      const found = await server.mishaps(filters)
      if (mine !== asked) return
      page.value = found
      problem.value = null
    } catch (error) {
      if (mine === asked) problem.value = error instanceof Error ? error.message : String(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  /** Another state's groups: those of the former are not shown a moment longer. */
  async function show(state: MishapFilters['state']): Promise<void> {
    filters.state = state
    if (page.value) page.value = { ...page.value, groups: [], total: 0 }
    await open(null)
  }

  async function more(): Promise<void> {
    const mine = asked
    const found = await server.mishaps(filters, groups.value.length)
    if (mine !== asked || !page.value) return
    const known = new Set(groups.value.map((one) => one.id))
    page.value = { ...found, groups: [...groups.value, ...found.groups.filter((one) => !known.has(one.id))] }
  }

  async function open(id: string | null): Promise<void> {
    if (id !== openId.value) seen.value = null // until it is here, nothing is decided about the one before
    openId.value = id
    conflict.value = null
    meanwhile.value = null
    suggestions.value = []
    unread.value = null
    if (id === null) return
    try {
      await look()
    } catch (error) {
      if (openId.value === id) unread.value = error instanceof Error ? error.message : String(error)
    }
    if (openId.value !== id || seen.value === null) return
    suggesting.value = true
    try {
      const found = await server.mishapSuggestions(id)
      if (openId.value === id) suggestions.value = found.suggestions
    } catch {
      suggestions.value = [] // the intents can still be chosen in the list
    } finally {
      if (openId.value === id) suggesting.value = false
    }
  }

  async function look(): Promise<void> {
    const id = openId.value
    if (id === null) return
    try {
      const found = await server.mishap(id)
      if (openId.value === id) seen.value = found
    } catch (error) {
      if (openId.value !== id) return
      seen.value = null
      if (error instanceof ApiError && error.status === 404) openId.value = null
      else throw error
    }
  }

  /** Makes a decision about the open group; false where somebody was quicker, which is then shown. */
  async function decide(wish: Omit<MishapWish, 'revision' | 'upto'> & { kind: DecisionKind }): Promise<boolean> {
    const group = seen.value?.group
    if (!group) return false
    const whole: MishapWish = { ...wish, revision: group.revision, upto: group.upto }
    try {
      lastMade.value = (await server.decideMishap(group.id, whole)).decision
    } catch (error) {
      if (!(error instanceof ApiError) || !['inbox_changed', 'inbox_merged', 'inbox_nothing'].includes(error.code)) throw error
      const told = detailOf<{ by?: string; change?: string; group_id?: string }>(error.detail)
      if (told?.group_id) openId.value = told.group_id
      await look()
      const decisions = seen.value?.decisions ?? []
      conflict.value = { by: told?.by ?? '', change: told?.change ?? '', mine: whole, theirs: decisions.find((one) => one.state === 'made') ?? null }
      void read()
      return false
    }
    conflict.value = null
    meanwhile.value = null
    return true
  }

  async function undo(decision: MishapDecision): Promise<void> {
    await server.undoMishap(decision.id)
    if (lastMade.value?.id === decision.id) lastMade.value = null
    await read()
    await open(decision.group_id)
  }

  function apply(event: LiveEvent, me: string): void {
    if (event.type === 'erased' && watching) again(AGAIN_MS)
    if (event.type !== 'mishaps' || !watching) return
    onMishaps(event, me)
  }

  function onMishaps(event: MishapsEvent, me: string): void {
    const ofOthers = event.by_id !== null && event.by_id !== me
    if (ofOthers && openId.value !== null && event.groups.includes(openId.value)) meanwhile.value = { by: event.by_name ?? '', change: event.change }
    if (event.by_id !== me) again(event.by_id === null ? CAME_MS : AGAIN_MS)
  }

  function again(afterMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void read(), afterMs)
  }

  function watch(on: boolean): void {
    watching = on
    clearTimeout(timer)
  }

  return { filters, page, groups, problem, loading, openId, seen, unread, suggestions, suggesting, conflict, meanwhile, lastMade, read, show, more, open, look, decide, undo, apply, watch }
}

export const mishaps = createMishaps()
