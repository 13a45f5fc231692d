// One turn of the bot as sentences: what it understood, how sure that was, and what came of it. Pure: it knows no texts, only their keys.
import type { TraceBody } from './types'

/** A sentence: its key below `reviews.turn`, and what is filled in. `intent`, `passage`, `slots`, `reason` and `rules` are names to be translated by whoever shows it. */
export interface Sentence { key: string; intent?: string; confidence?: string; limit?: string; slots?: string[]; title?: string; score?: string; reason?: string; rules?: string[]; n?: number }

type More = TraceBody & { missed?: boolean; failed?: boolean; would?: unknown; refused?: unknown; reading?: string; replies_by?: string; error?: string; handoff?: { reason?: string; detail?: Record<string, unknown> } | null; parts?: { text: string; intent: string; confidence: number }[] }

const ROUTES = new Set(['task', 'smalltalk', 'knowledge', 'clarify', 'handoff', 'file'])
const share = (value: number) => value.toFixed(2)
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

export function sentencesOf(body: TraceBody): Sentence[] {
  const trace = body as More
  if (trace.route === 'file') return [{ key: 'file' }]
  if (trace.replies_by === 'service') return [{ key: 'away' }]
  const said: Sentence[] = [understood(trace)]
  if (trace.reading) said.push({ key: 'reading', title: trace.reading })
  if (trace.parts && trace.parts.length > 1) said.push({ key: 'parts', n: trace.parts.length })
  said.push(...outcome(trace))
  if (trace.rules?.length) said.push({ key: trace.rules.length > 1 ? 'rules' : 'rule', rules: trace.rules })
  if (trace.failed) said.push({ key: 'failed' })
  if (trace.handoff?.reason) said.push({ key: 'handedOff', reason: trace.handoff.reason })
  return said
}

function understood(trace: More): Sentence {
  const confidence = number(trace.confidence)
  const answer = number(trace.thresholds?.answer)
  const clarify = number(trace.thresholds?.clarify)
  if (!trace.intent) return { key: 'nothing' }
  const known = { intent: trace.intent, ...(confidence === null ? {} : { confidence: share(confidence) }) }
  if (confidence === null) return { key: 'pressed', ...known }
  if (answer === null) return { key: 'understood', ...known }
  if (confidence >= answer) return { key: 'sure', ...known, limit: share(answer) }
  if (clarify !== null && confidence >= clarify) return { key: 'unsure', ...known, limit: share(answer) }
  return { key: 'tooUnsure', ...known, limit: share(clarify ?? answer) }
}

function outcome(trace: More): Sentence[] {
  const route = trace.route && ROUTES.has(trace.route) ? trace.route : ''
  const best = [...(trace.retrieval ?? [])].sort((one, other) => other.score - one.score)[0]
  const gate = number(trace.thresholds?.retrieval)
  const found: Sentence[] = []
  if (best) {
    const about = { title: best.title || best.passage_id, score: share(best.score) }
    if (route === 'knowledge') found.push({ key: 'quoted', ...about, ...(gate === null ? {} : { limit: share(gate) }) })
    else if (gate !== null && best.score < gate) found.push({ key: 'noArticle', ...about, limit: share(gate) })
  }
  if (route === 'knowledge') {
    if (!best) found.push({ key: trace.missed ? 'knowledgeMissed' : 'knowledge' })
    if (trace.generation) found.push({ key: trace.generation.used === 'generated' ? 'phrased' : 'verbatim' })
  } else if (route === 'clarify') found.push({ key: trace.missed ? 'clarifyMissed' : 'clarify' })
  else if (route === 'handoff') found.push({ key: trace.missed ? 'handoffMissed' : 'handoff' })
  else if (route === 'smalltalk') found.push({ key: 'smalltalk' })
  else if (route === 'task') {
    const slots = Object.entries(trace.slots_changed ?? {}).filter(([name, value]) => value !== null && value !== undefined && !SILENT.has(name)).map(([name]) => name)
    found.push({ key: 'task' })
    if (slots.length) found.push({ key: 'noted', slots })
    const asked = (trace.actions ?? []).map((one) => /^(?:utter|action)_ask_(.+)$/.exec(one)?.[1]).filter((one): one is string => one !== undefined)
    if (asked.length) found.push({ key: 'asked', slots: asked.slice(-1) })
    if (trace.actions?.some((one) => one.startsWith('action_') && !one.startsWith('action_ask_') && !one.startsWith('action_listen'))) found.push({ key: 'acted' })
    if (trace.refused) found.push({ key: 'refused' })
  } else found.push({ key: 'other' })
  return found
}

/** Slots that say nothing about the customer's wish. */
const SILENT = new Set(['language', 'misses', 'clarified', 'customer_id'])

/** What a rule of `rules.yml` is about: its own text below `reviews.rules`, or an intent that it starts, finishes or answers; a rule that nobody knows keeps its name. */
export type RuleWords = { key: string } | { key: 'start' | 'submit' | 'answer'; intent: string } | { key: 'plain'; name: string }

export function ruleWords(name: string, knows: (key: string) => boolean): RuleWords {
  const [, kind, intent] = /^(Start|Submit|Made:) ([a-z_0-9]+)$/.exec(name) ?? []
  if (kind && intent) return { key: kind === 'Start' ? 'start' : kind === 'Submit' ? 'submit' : 'answer', intent }
  const key = name.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_|_$/g, '')
  if (knows(`reviews.rules.${key}`)) return { key }
  return knows(`intent.${key}`) ? { key: 'answer', intent: key } : { key: 'plain', name }
}
