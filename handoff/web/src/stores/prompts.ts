// The prompts and the draft of each. Drafts outlive the page, so looking at a conversation loses nothing.
import { computed, reactive, ref } from 'vue'

import { api, ApiError } from '../api'
import type { PromptDetail, PromptOverview, PromptTest, PromptVersion } from '../types'

export interface Draft { from: number; template: string; values: Record<string, string>; note: string; question: string; result: PromptTest | null }

const overview = ref<PromptOverview | null>(null)
const details = reactive(new Map<string, PromptDetail>())
const drafts = reactive(new Map<string, Draft>())
const chosen = ref<string | null>(null)
/** "" where the server was not reached. */
const failed = ref<string | null>(null)

const detail = computed(() => (chosen.value ? (details.get(chosen.value) ?? null) : null))
const draft = computed(() => (chosen.value ? (drafts.get(chosen.value) ?? null) : null))
const base = computed(() => detail.value?.versions.find((one) => one.version === draft.value?.from) ?? null)
const dirty = computed(() => draft.value !== null && base.value !== null && differs(draft.value, base.value))

export function differs(mine: Pick<Draft, 'template' | 'values'>, saved: Pick<PromptVersion, 'template' | 'values'>): boolean {
  if (mine.template.trim() !== saved.template.trim()) return true
  const names = new Set([...Object.keys(mine.values), ...Object.keys(saved.values)])
  return [...names].some((name) => (mine.values[name] ?? '').trim() !== (saved.values[name] ?? ''))
}

async function read(): Promise<void> {
  failed.value = null
  try {
    overview.value = await api.prompts()
    const first = overview.value.prompts[0]
    if (!chosen.value && first) chosen.value = first.name
    if (chosen.value) await choose(chosen.value)
  } catch (error) {
    failed.value = error instanceof ApiError ? error.message : String(error)
  }
}

async function choose(name: string): Promise<void> {
  chosen.value = name
  const { prompt } = await api.prompt(name)
  details.set(name, prompt)
  if (!drafts.has(name)) edit(name, prompt.active_version)
}

/** Starts a draft from a saved version; what was not saved before is dropped. */
function edit(name: string, version: number): void {
  const saved = details.get(name)?.versions.find((one) => one.version === version)
  if (!saved) return
  const before = drafts.get(name)
  drafts.set(name, { from: version, template: saved.template, values: { ...saved.values }, note: '', question: before?.question ?? '', result: null })
}

async function save(): Promise<number> {
  const name = chosen.value!
  const { template, values, note } = draft.value!
  const { version } = await api.savePrompt(name, { template, values, note })
  await refresh(name)
  edit(name, version.version)
  return version.version
}

async function activate(version: number): Promise<void> {
  const name = chosen.value!
  await api.activatePrompt(name, version)
  await refresh(name)
}

async function test(): Promise<void> {
  const mine = draft.value!
  mine.result = await api.testPrompt(chosen.value!, { question: mine.question, template: mine.template, values: mine.values })
}

async function refresh(name: string): Promise<void> {
  const [all, { prompt }] = await Promise.all([api.prompts(), api.prompt(name)])
  overview.value = all
  details.set(name, prompt)
}

export const prompts = { overview, detail, draft, chosen, base, dirty, failed, read, choose, edit, save, activate, test }
