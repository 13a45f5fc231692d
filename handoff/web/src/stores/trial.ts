// The chat that is being tried out. It outlives a change of page, and is gone when the console is closed: nothing is stored.
import { computed, reactive, ref } from 'vue'

import { measuringApi, type Language, type Limits, type TrialAnswer, type TrialSaid } from '../measuring'
import { measuringRefusal } from '../measuring_refusals'

export interface TrialTurn extends TrialSaid { answers: TrialAnswer[] }

const turns = ref<TrialTurn[]>([])
const chosen = ref<number | null>(null)
const busy = ref(false)
const problem = ref('')
const draft = ref('')
const terms = reactive<{ language: Language; model: string | null; second: string | null | undefined; ownLimits: boolean; limits: Limits }>({ language: 'zh', model: null, second: undefined, ownLimits: false, limits: { answer: null, clarify: null, retrieval: null } })
let asked = 0

const models = computed<(string | null)[]>(() => (terms.second === undefined ? [terms.model] : [terms.model, terms.second]))
const limits = computed<Limits | null>(() => (terms.ownLimits ? { ...terms.limits } : null))

async function answered(said: TrialSaid[]): Promise<TrialAnswer[]> {
  return (await measuringApi.say(terms.language, said.map(({ text, payload }) => ({ text, payload })), models.value, limits.value)).answers
}

async function say(text: string, payload: string | null = null): Promise<void> {
  if (busy.value || (!text.trim() && payload === null)) return
  const mine = ++asked
  busy.value = true
  problem.value = ''
  try {
    const answers = await answered([...turns.value, { text, payload }])
    if (mine !== asked) return
    turns.value = [...turns.value, { text, payload, answers }]
    chosen.value = turns.value.length - 1
    draft.value = ''
  } catch (error) {
    if (mine === asked) problem.value = measuringRefusal(error)
  } finally {
    if (mine === asked) busy.value = false
  }
}

/** The same messages again, after version, language or thresholds have changed. */
async function again(): Promise<void> {
  const said = turns.value
  if (!said.length) return
  const mine = ++asked
  busy.value = true
  problem.value = ''
  try {
    const found: TrialTurn[] = []
    for (let at = 0; at < said.length; at += 1) {
      const answers = await answered(said.slice(0, at + 1))
      if (mine !== asked) return
      const { text, payload } = said[at] as TrialTurn
      found.push({ text, payload, answers })
    }
    turns.value = found
  } catch (error) {
    if (mine === asked) problem.value = measuringRefusal(error)
  } finally {
    if (mine === asked) busy.value = false
  }
}

function restart(): void {
  asked += 1
  busy.value = false
  problem.value = ''
  turns.value = []
  chosen.value = null
}

function takeBack(): void {
  turns.value = turns.value.slice(0, -1)
  chosen.value = turns.value.length ? turns.value.length - 1 : null
}

/** A new chat with a message to be sent. */
export function startTrial({ text, language, model = null }: { text: string; language: Language; model?: string | null }): void {
  restart()
  Object.assign(terms, { language, model })
  void say(text)
}

export const trial = { turns, chosen, busy, problem, draft, terms, models, say, again, restart, takeBack }
