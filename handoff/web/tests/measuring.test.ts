import { describe, expect, it } from 'vitest'

import { better, cells, expectOf, share, sorted, type IntentScore, type TrialAnswer } from '../src/measuring'

const score = (name: string, f1: number, lines = 10, precision: number | null = f1): IntentScore => ({ name, lines, precision, recall: f1, f1 })

describe('figures', () => {
  it('have one digit, and none where nothing was measured', () => expect([share(0.9595), share(null), share(undefined)]).toEqual(['96.0%', '–', '–']))
  it('are better where more is better, and where less is', () => {
    expect([better({ one: 0.9, other: 0.8 }), better({ one: 0.9, other: 0.8, more_is_better: false }), better({ one: 0.9, other: 0.90001 }), better({ one: null, other: 1 })]).toEqual([1, -1, 0, 0])
  })
})

describe('intents', () => {
  const some = [score('b', 0.5), score('a', 0.5), score('c', 0.9, 3, null)]
  it('are in the wished order, equal ones by name', () => {
    expect(sorted(some, 'f1', false).map((one) => one.name)).toEqual(['a', 'b', 'c'])
    expect(sorted(some, 'lines', true).map((one) => one.name)).toEqual(['a', 'b', 'c'])
    expect(sorted(some, 'precision', false)[0]?.name).toBe('c')
  })
})

describe('the confusion map', () => {
  it('has a cell for what occurs, with its share of the row', () => {
    expect(cells({ names: ['a', 'b'], rows: [[3, 1], [0, 0]] })).toEqual([{ row: 0, column: 0, count: 3, share: 0.75 }, { row: 0, column: 1, count: 1, share: 0.25 }])
  })
})

describe('what is expected of an answer', () => {
  const cited = { passage_id: 'warranty/en/a', article_id: 'warranty', title: 'Warranty', quote: '', url: '' }
  const answer = (more: Partial<TrialAnswer>): TrialAnswer => ({ model: null, replies: [], ...more })
  it('is what happened, without what only the machinery knows', () => {
    const trace = { intent: 'ask_knowledge', route: 'knowledge', actions: ['action_answer_question'], entities: [{ entity: 'question', value: 'x' }, { entity: 'product', value: 'Aria 5' }] }
    expect(expectOf(answer({ trace, replies: [{ text: 'A', buttons: [], citations: [cited], handoff: null }] }))).toEqual({ intent: 'ask_knowledge', route: 'knowledge', entities: { product: 'Aria 5' }, actions: ['action_answer_question'], article: 'warranty' })
  })
  it('names a handoff and what would be written', () => {
    expect(expectOf(answer({ trace: { would: ['cancel_order'] }, replies: [{ text: '', buttons: [], citations: [], handoff: 'asked_for_person' }] }))).toEqual({ handoff: 'asked_for_person', would: ['cancel_order'] })
  })
  it('is nothing where there was no answer', () => expect(expectOf(answer({ problem: 'unavailable' }))).toEqual({}))
})
