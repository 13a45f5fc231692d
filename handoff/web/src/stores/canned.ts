// Canned replies and macros as this agent may use them; read when first needed and after every change.
import { computed, ref } from 'vue'

import { api, ApiError } from '../api'
import { found } from '../fuzzy'
import type { Canned, Macro, MacroVerb } from '../types'

const replies = ref<Canned[]>([])
const variables = ref<string[]>([])
const macros = ref<Macro[]>([])
const verbs = ref<MacroVerb[]>([])
const loaded = ref(false)
const failed = ref('')
const known = computed<ReadonlySet<string>>(() => new Set(variables.value))
let asked = 0

export async function readCanned(): Promise<void> {
  const mine = ++asked
  try {
    const [first, second] = await Promise.all([api.canned(), api.macros()])
    if (mine !== asked) return
    replies.value = first.canned
    variables.value = first.variables
    macros.value = second.macros
    verbs.value = second.verbs
    failed.value = ''
  } catch (error) {
    if (mine === asked) failed.value = error instanceof ApiError && error.message ? error.message : 'offline'
  }
  loaded.value = true
}

type Titled = { title_zh: string; title_en: string }

/** The title in the console's language, or in the other one. */
export function titleOf(one: Titled, language: string): string {
  return language === 'zh' ? one.title_zh || one.title_en : one.title_en || one.title_zh
}

/** The text the contact would get, or that of the other language. */
export function textOf(one: Pick<Canned, 'text_zh' | 'text_en'>, language: string): string {
  return language === 'zh' ? one.text_zh || one.text_en : one.text_en || one.text_zh
}

/** Canned replies by shortcut, title, pinyin of the title, or words of the text; the agent's own before shared ones. */
export function findCanned(query: string, limit = 50): Canned[] {
  const own = [...replies.value].sort((a, b) => Number(a.shared) - Number(b.shared))
  return found(query, query.trim() ? own : replies.value, (one) => [one.shortcut, one.title_zh, one.title_en, ...one.keys.split(' '), one.text_zh, one.text_en], limit)
}

export function findMacros(query: string, limit = 50): Macro[] {
  return found(query, macros.value, (one) => [one.title_zh, one.title_en, ...one.keys.split(' ')], limit)
}

export const library = { replies, variables, known, macros, verbs, loaded, failed }
