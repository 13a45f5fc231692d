// Help with the answer: what is asked for and when, what goes into the draft, and what goes with the reply.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError } from '../src/api'
import { createAssist, PLACEHOLDER, type Insertable } from '../src/stores/assist'
import { createTranslations, languageOf, reasonKey } from '../src/stores/translations'
import type { AssistLook, Citation } from '../src/types'

const SOURCE: Citation = { passage_id: 'a/en/p', article_id: 'a', title: 'A', quote: 'q', url: '/kb/en/a#p' }
const LOOK: AssistLook = { seq: 1, language: 'en', requests: ['q'], intent: null, product: null, suggestion: null, passages: [], similar: [], took_ms: 1, model: null }
const card = (more: Partial<Insertable> = {}): Insertable => ({ id: 'c1', key: 1, text: 'Three days.', citations: [SOURCE], internal: false, ...more })

function build(look: () => Promise<AssistLook> = () => Promise.resolve(LOOK)) {
  const drafts = new Map<string, string>()
  const api = {
    assist: vi.fn((_id: string, _signal: AbortSignal) => look()),
    assistBot: vi.fn(() => Promise.resolve({ bot: null })),
    assistPhrased: vi.fn(() => Promise.resolve({ phrased: { id: null, key: 1, seq: 1, text: 'p', reason: null, model: 'm', citations: [] } })),
    assistInserted: vi.fn(() => Promise.resolve()),
    assistRejected: vi.fn(() => Promise.resolve()),
  }
  const begin = vi.fn()
  return { assist: createAssist(api, drafts, begin), api, drafts, begin }
}

describe('looking', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('begins at once for another conversation and in a moment for further messages', async () => {
    const { assist, api } = build()
    assist.watchOver('a')
    expect(api.assist).toHaveBeenCalledTimes(1)
    await vi.runAllTimersAsync()
    for (let n = 0; n < 3; n += 1) assist.watchOver('a')
    expect(api.assist).toHaveBeenCalledTimes(1)
    await vi.runAllTimersAsync()
    expect(api.assist).toHaveBeenCalledTimes(2)
  })

  it('stops what is out of date and when nobody looks any more', async () => {
    const { assist, api } = build(() => new Promise(() => undefined))
    assist.watchOver('a')
    const first = api.assist.mock.calls[0]![1]
    assist.watchOver('b')
    expect(first.aborted).toBe(true)
    const second = api.assist.mock.calls[1]![1]
    assist.watchOver(null)
    expect(second.aborted).toBe(true)
    expect(assist.look.value).toBe(null)
  })

  it('says what went wrong, but not that the contact has written again', async () => {
    const broken = build(() => Promise.reject(new ApiError(500, 'internal', 'broken')))
    broken.assist.watchOver('a')
    await vi.runAllTimersAsync()
    expect(broken.assist.problem.value).toBe('broken')
    const superseded = build(() => Promise.reject(new ApiError(409, 'assist_superseded', 'newer')))
    superseded.assist.watchOver('a')
    await vi.runAllTimersAsync()
    expect(superseded.assist.problem.value).toBe(null)
  })

  it('asks a model for its words only where there is one and something to phrase', async () => {
    const without = build()
    without.assist.watchOver('a')
    await vi.runAllTimersAsync()
    expect(without.api.assistPhrased).not.toHaveBeenCalled()
    const similar = { id: null, key: 6, conversation_id: 'x', similarity: 0.9, intent: null, rating: null, labels: [], channel: 'web', resolved_at: null, resolved_by: null, agent_name: null, request: '', replies: [], language: 'en', placeholders: 0 }
    const there = build(() => Promise.resolve({ ...LOOK, model: 'm', similar: [similar] }))
    there.assist.watchOver('a')
    await vi.runAllTimersAsync()
    expect(there.assist.phrased.value?.text).toBe('p')
  })
})

describe('inserting', () => {
  it('puts the card after what is written and its source beside the reply', () => {
    const { assist, api, drafts } = build()
    drafts.set('a:reply', 'Hello!')
    assist.insert('a', card())
    expect(drafts.get('a:reply')).toBe('Hello!\nThree days.')
    expect(assist.sources('a')).toEqual([SOURCE])
    expect(api.assistInserted).toHaveBeenCalledWith('a', 'c1')
    expect(assist.take('a')).toEqual({ assist: [{ id: 'c1', cite: true }] })
    expect(assist.take('a')).toEqual({})
  })

  it('tells that a draft begins with a card, and not of one that goes on', () => {
    const { assist, begin } = build()
    assist.insert('a', card())
    assist.insert('a', card({ id: 'c2' }))
    expect(begin.mock.calls).toEqual([['a:reply', 'a']])
  })

  it('keeps the source of an internal article out of the reply', () => {
    const { assist } = build()
    assist.insert('a', card({ internal: true }))
    expect(assist.sources('a')).toEqual([])
    expect(assist.take('a')).toEqual({ assist: [{ id: 'c1', cite: false }] })
  })

  it('lets a source be left out and a draft be given up', () => {
    const { assist } = build()
    assist.insert('a', card())
    assist.leaveOut('a', SOURCE.passage_id)
    expect(assist.sources('a')).toEqual([])
    assist.insert('a', card())
    assist.drop('a')
    expect(assist.take('a')).toEqual({})
  })

  it('finds the gaps that have to be filled in', () => {
    expect(PLACEHOLDER.exec('Order [number] is here')?.index).toBe(6)
    expect(PLACEHOLDER.test('【姓名】您好')).toBe(true)
    expect(PLACEHOLDER.test('[sic] 【注】')).toBe(false)
  })
})

describe('translations', () => {
  it('know the language of a text', () => {
    expect(languageOf('where is my order')).toBe('en')
    expect(languageOf('我的 KT20260001 在哪里')).toBe('zh')
    expect(languageOf('12345 👍')).toBe(null)
  })

  it('are asked for once, and are hidden where there is no model', async () => {
    const translate = vi.fn(() => Promise.resolve({ text: 'Hello', reason: null, model: 'm' }))
    const made = createTranslations({ translations: () => Promise.resolve({ model: null, translations: {}, originals: {} }), translate, translateReply: vi.fn() })
    await made.open('c')
    expect(made.model.value).toBe(null)
    await made.translate('c', { id: 'x', seq: 1 }, 'en')
    made.hide('x', 'en')
    expect(made.of('x', 'en')?.hidden).toBe(true)
    await made.translate('c', { id: 'x', seq: 1 }, 'en')
    expect(made.of('x', 'en')).toMatchObject({ text: 'Hello', hidden: false })
    expect(translate).toHaveBeenCalledTimes(1)
  })

  it('say why there is none in words of this page', () => {
    expect(reasonKey('number')).toBe('number')
    expect(reasonKey('status_500')).toBe('other')
    expect(reasonKey(null)).toBe('other')
  })
})
