// A turn in plain words: every route and outcome of real traces has sentences, and every sentence its text in both languages.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { reviews as en } from '../src/i18n/reviews.en'
import { reviews as zh } from '../src/i18n/reviews.zh'
import { ruleWords, sentencesOf } from '../src/turn_words'
import type { TraceBody } from '../src/types'

const thresholds = { answer: 0.72, clarify: 0.3, retrieval: 0.5 }
const keys = (trace: object) => sentencesOf(trace as TraceBody).map((one) => one.key)
const hit = (score: number) => [{ passage_id: 'returns#1', version: '1', score, title: 'Returns' }]

const REAL: [string, object, string[]][] = [
  ['a task that asks for something', { route: 'task', intent: 'return_refund', confidence: 0.93, thresholds, actions: ['return_form', 'utter_ask_order_number'] }, ['sure', 'task', 'asked']],
  ['a task that was carried out', { route: 'task', intent: 'inform', confidence: 0.99, thresholds, slots_changed: { order_number: 'KS1', language: 'en' }, actions: ['action_order_status'] }, ['sure', 'task', 'noted', 'acted']],
  ['a detail that cannot be right', { route: 'task', intent: 'inform', confidence: 0.99, thresholds, refused: ['order_number'] }, ['sure', 'task', 'refused']],
  ['small talk', { route: 'smalltalk', intent: 'joke', confidence: 0.98, thresholds }, ['sure', 'smalltalk']],
  ['an article quoted', { route: 'knowledge', intent: 'ask_knowledge', confidence: 0.4, thresholds, retrieval: hit(0.9) }, ['unsure', 'quoted']],
  ['an article phrased', { route: 'knowledge', intent: 'ask_knowledge', confidence: 0.2, thresholds, retrieval: hit(0.9), generation: { used: 'generated', reason: null } }, ['tooUnsure', 'quoted', 'phrased']],
  ['an article in its own words', { route: 'knowledge', intent: 'ask_knowledge', confidence: 0.8, thresholds, retrieval: hit(0.9), generation: { used: 'extractive', reason: 'no_endpoint' } }, ['sure', 'quoted', 'verbatim']],
  ['asking back', { route: 'clarify', intent: 'order_status', confidence: 0.5, thresholds }, ['unsure', 'clarify']],
  ['asking back, because nothing was found', { route: 'clarify', intent: 'out_of_scope', confidence: 0.1, thresholds, missed: true, retrieval: hit(0.2) }, ['tooUnsure', 'noArticle', 'clarifyMissed']],
  ['a second miss', { route: 'handoff', intent: 'out_of_scope', confidence: 0.1, thresholds, missed: true, handoff: { reason: 'two_misses' } }, ['tooUnsure', 'handoffMissed', 'handedOff']],
  ['a person was asked for', { route: 'handoff', intent: 'handoff', confidence: 0.97, thresholds, handoff: { reason: 'asked_for_person', detail: {} } }, ['sure', 'handoff', 'handedOff']],
  ['a task that failed', { route: 'handoff', intent: 'order_status', confidence: 0.97, thresholds, failed: true, handoff: { reason: 'action_failed' } }, ['sure', 'handoff', 'failed', 'handedOff']],
  ['two wishes in one message', { route: 'task', intent: 'order_status', confidence: 0.9, thresholds, parts: [{ text: 'a', intent: 'x', confidence: 1 }, { text: 'b', intent: 'y', confidence: 1 }] }, ['sure', 'parts', 'task']],
  ['words that were read differently', { route: 'task', intent: 'order_status', confidence: 0.9, thresholds, reading: 'parcel' }, ['sure', 'reading', 'task']],
  ['a button', { route: 'task', intent: 'order_status', confidence: null, thresholds }, ['pressed', 'task']],
  ['a trace from before there were thresholds', { route: 'task', intent: 'order_status', confidence: 0.9 }, ['understood', 'task']],
  ['a rule that decided', { route: 'smalltalk', intent: 'joke', confidence: 0.98, thresholds, rules: ['Joke'] }, ['sure', 'smalltalk', 'rule']],
  ['several rules that decided', { route: 'task', intent: 'order_status', confidence: 0.98, thresholds, rules: ['Start order_status', 'Submit order_status'] }, ['sure', 'task', 'rules']],
  ['only a file', { route: 'file', replies_by: 'service' }, ['file']],
  ['the bot was away', { route: 'handoff', error: 'no answer in time', replies_by: 'service' }, ['away']],
  ['a trace that was erased', {}, ['nothing', 'other']],
  ['a route that is not known here', { route: 'dance', intent: 'joke', confidence: 0.9, thresholds }, ['sure', 'other']],
]

describe('a turn in plain words', () => {
  it.each(REAL)('tells of %s', (_what, trace, expected) => {
    expect(keys(trace)).toEqual(expected)
    for (const key of expected) for (const words of [en, zh]) expect((words.turn as Record<string, string>)[key]).toBeTruthy()
  })

  it('names the score and the limit that was in force', () => {
    const [first] = sentencesOf({ route: 'task', intent: 'return_refund', confidence: 0.931, thresholds })
    expect(first).toEqual({ key: 'sure', intent: 'return_refund', confidence: '0.93', limit: '0.72' })
  })

  it('names the best article, whatever the order', () => {
    const retrieval = [{ passage_id: 'a', version: '1', score: 0.6, title: 'Worse' }, { passage_id: 'b', version: '1', score: 0.9, title: 'Best' }]
    expect(sentencesOf({ route: 'knowledge', intent: 'x', confidence: 0.9, thresholds, retrieval } as TraceBody)[1]).toMatchObject({ key: 'quoted', title: 'Best' })
  })

  it('every sentence can come up, and both languages have the same', () => {
    expect(Object.keys(zh.turn).sort()).toEqual(Object.keys(en.turn).sort())
    const told = new Set([...REAL.flatMap(([, trace]) => keys(trace)), ...keys({ route: 'knowledge' }), ...keys({ route: 'knowledge', missed: true })])
    expect([...told].sort()).toEqual(Object.keys(en.turn).sort())
  })
})

describe('the rules by which the bot decides', () => {
  const written = [...readFileSync('../../bot/rules.yml', 'utf8').matchAll(/- rule: (.+)/g)].map((one) => one[1]!)
  const domain = readFileSync('../../bot/domain.yml', 'utf8')
  const knows = (key: string) => (key.startsWith('intent.') ? domain.includes(`- ${key.slice('intent.'.length)}\n`) : key.slice('reviews.rules.'.length) in en.rules)

  it('all have words in both languages', () => {
    expect(written.length).toBeGreaterThan(40)
    expect(Object.keys(zh.rules).sort()).toEqual(Object.keys(en.rules).sort())
    for (const name of written) expect(ruleWords(name, knows).key, name).not.toBe('plain')
    const used = new Set([...written.map((name) => ruleWords(name, knows).key), 'plain'])
    expect([...used].sort()).toEqual(Object.keys(en.rules).sort())
  })

  it('are told as what is done about an intent where they are about one', () => {
    expect(ruleWords('Start order_status', knows)).toEqual({ key: 'start', intent: 'order_status' })
    expect(ruleWords('Made: gift_card', knows)).toEqual({ key: 'answer', intent: 'gift_card' })
    expect(ruleWords('How are you', knows)).toEqual({ key: 'answer', intent: 'how_are_you' })
  })

  it('keep their name where there are no words for them', () => {
    expect(ruleWords('A rule of an older bot', knows)).toEqual({ key: 'plain', name: 'A rule of an older bot' })
  })
})
