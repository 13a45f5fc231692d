// What the page about examples shows at the moment, and the ways to change it. One page is open at a time.
import { computed, reactive, ref } from 'vue'

import { ApiError } from '../api'
import { exampleApi, KINDS, type Change, type Edit, type Example, type IntentRow, type Language, type NoteKind, type Overview } from '../examples'
import { nameIntents } from '../i18n'

export const PAGE_SIZE = 50
const overview = ref<Overview | null>(null)
const listed = ref<Example[]>([])
const total = ref(0)
const loaded = ref(false)
/** "" where the server was not reached. */
const problem = ref<string | null>(null)
const chosen = reactive<{ intent: string | null; language: Language | null; q: string; kind: NoteKind | null; offset: number }>({ intent: null, language: null, q: '', kind: null, offset: 0 })
const selection = ref<Example[]>([])
/** What was refused because somebody else was quicker, with what was wanted. */
const conflict = ref<{ change: Change | null; error: ApiError } | null>(null)
let asked = 0
let timer: number | undefined

const intent = computed<IntentRow | null>(() => overview.value?.intents.find((one) => one.name === chosen.intent) ?? null)
const known = computed(() => new Set(overview.value?.intents.map((one) => one.name)))
const keyOf = (one: Example): string => `${one.language} ${one.intent} ${one.text}`

async function readOverview(): Promise<void> {
  window.clearTimeout(timer)
  const before = overview.value
  try {
    const read = await exampleApi.overview()
    overview.value = read
    nameIntents(read.intents.flatMap(({ made }) => (made ? [{ name: made.name, zh: made.title_zh, en: made.title_en }] : [])))
    // While something runs in the background its figures are fetched again, and the list once it is done.
    if (!read.checked || read.bot.running) timer = window.setTimeout(readOverview, 1500)
    if (before && ((read.checked && !before.checked) || (before.bot.running && !read.bot.running))) await readList()
  } catch {
    timer = window.setTimeout(readOverview, 8000)
  }
}

async function readList(): Promise<void> {
  const mine = ++asked
  try {
    const { offset, ...wanted } = chosen
    const page = await exampleApi.list({ ...wanted, q: wanted.q.trim() }, offset, PAGE_SIZE)
    if (mine !== asked) return
    if (!page.examples.length && page.total && offset) {
      chosen.offset = Math.floor((page.total - 1) / PAGE_SIZE) * PAGE_SIZE
      return await readList()
    }
    listed.value = page.examples
    total.value = page.total
    problem.value = null
    const there = new Map(page.examples.map((one) => [keyOf(one), one]))
    selection.value = selection.value.flatMap((one) => there.get(keyOf(one)) ?? [])
  } catch (error) {
    if (mine === asked) problem.value = error instanceof Error ? error.message : String(error)
  }
  loaded.value = true
}

/** Shows other examples, from the first one on. */
async function choose(change: Partial<typeof chosen>): Promise<void> {
  Object.assign(chosen, { offset: 0 }, change)
  if (!('offset' in change) || change.offset === 0) selection.value = []
  await readList()
}

async function refresh(): Promise<void> {
  await Promise.all([readList(), readOverview()])
}

/** Makes the changes; null when somebody else was quicker, which `conflict` then tells. Throws what else goes wrong. */
async function change(changes: Change[], why = ''): Promise<Edit | null> {
  try {
    const { edit } = await exampleApi.edit(changes, why)
    await refresh()
    return edit
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 'example_gone' && error.code !== 'example_exists')) throw error
    const text = error.about.text
    conflict.value = { error, change: changes.find((one) => (one.do === 'reword' ? [one.before, one.after] : [one.text]).includes(String(text))) ?? changes[0] ?? null }
    await refresh()
    return null
  }
}

function stop(): void {
  window.clearTimeout(timer)
  asked += 1
}

export const examples = { overview, listed, total, loaded, problem, chosen, selection, conflict, intent, known, kinds: KINDS, keyOf, readOverview, readList, choose, refresh, change, stop }
