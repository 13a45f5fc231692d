// The trainers' inbox in the console: lines, marks, what others do meanwhile.
import { describe, expect, it } from 'vitest'

import { ApiError } from '../src/api'
import { detailOf, linesOf, marked, mishapQuery, type MishapDecision, type MishapFilters, type MishapMessage, type MishapPage, type MishapSeen, type MishapWish } from '../src/mishaps'
import { createMishaps } from '../src/stores/mishaps'

const message = (text: string, language: 'zh' | 'en' = 'en', masked = text): MishapMessage => ({
  message_id: text, state: 'new', conversation_id: 'c', seq: 1, channel: 'webchat', language, at: '2026-03-01T10:00:00Z', reasons: ['missed'], intent: null, confidence: null,
  answer_limit: null, clarify_limit: null, route: null, model_id: null, rating: null, handed_off: false, text, masked, changed_by: null,
})
const decision = (by: string): MishapDecision => ({ id: 'd', group_id: 'g', kind: 'assign', intent: 'greet', examples: 1, messages: 1, state: 'made', at: '2026-03-01T10:00:00Z', by_id: by, by_name: by, undone_at: null, undone_by: null })
const seen = (revision: number, ...decisions: MishapDecision[]): MishapSeen => ({
  group: { id: 'g', state: 'new', medoid: 'm', text: 'hi', revision, upto: 7, messages: 1, contacts: 1, first_at: '', last_at: '', by_reason: {}, by_language: {}, mean_rating: null, rated: 0, handoffs: 0, changed_at: null, changed_by: null, change: null, done_at: null, again_at: null, again_model: null },
  messages: [message('hi')], decisions,
})
const page: MishapPage = { groups: [], total: 0, counts: { new: 0, done: 0, ignored: 0, gaps: 0 }, channels: [], progress: { read: 1, of: 1 }, teaches: true }

function inboxOf(answers: { decide?: () => MishapDecision; groups?: MishapSeen[] } = {}) {
  const asked: MishapWish[] = []
  const groups = answers.groups ?? [seen(3)]
  const inbox = createMishaps({
    mishaps: async () => page,
    mishap: async () => (groups.length > 1 ? groups.shift() : groups[0]) ?? seen(3),
    mishapSuggestions: async () => ({ suggestions: [{ intent: 'greet', confidence: 0.9, by_bot: 0.8, nearest: 'hello', similarity: 0.7 }] }),
    decideMishap: async (_id, wish) => { asked.push(wish); return { decision: (answers.decide ?? (() => decision('me')))() } },
    undoMishap: async () => ({ decision: decision('me') }),
  })
  return { inbox, asked }
}

describe('lines', () => {
  it('are without personal data, each once, the commonest first', () => {
    const lines = linesOf([message('call 138', 'en', 'call [number]'), message('gift'), message('Gift '), message('礼品', 'zh')])
    expect(lines.map((one) => [one.text, one.count])).toEqual([['gift', 2], ['call [number]', 1], ['礼品', 1]])
  })

  it('are marked where they are selected, without spaces around it', () => {
    expect(marked('my Aria lamp', 3, 8, 'product')).toBe('my [Aria]{"entity": "product"} lamp')
    expect(marked('my [Aria]{"entity": "product"} lamp', 5, 9, 'brand')).toBeNull()
    expect(marked('my [Aria]{"entity": "product"} lamp', 31, 35, 'brand')).toBe('my [Aria]{"entity": "product"} [lamp]{"entity": "brand"}')
    expect(marked('my lamp', 2, 3, 'product')).toBeNull()
  })
})

describe('queries', () => {
  it('say only what limits them', () => {
    const filters: MishapFilters = { state: 'new', sort: 'cost', reasons: ['missed', 'low_rating'], language: '', channel: '', days: 7, q: '' }
    expect(mishapQuery(filters, 50)).toBe('state=new&sort=cost&reasons=missed%2Clow_rating&days=7&offset=50')
  })

  it('take the details of a refusal apart, or say that there are none', () => {
    expect(detailOf<{ by: string }>('{"by":"Lin"}')).toEqual({ by: 'Lin' })
    expect(detailOf('')).toBeNull()
    expect(detailOf('{')).toBeNull()
  })
})

describe('deciding', () => {
  it('names what was looked at', async () => {
    const { inbox, asked } = inboxOf()
    await inbox.open('g')
    expect(inbox.suggestions.value[0]?.intent).toBe('greet')
    expect(await inbox.decide({ kind: 'ignored' })).toBe(true)
    expect(asked).toEqual([{ kind: 'ignored', revision: 3, upto: 7 }])
    expect(inbox.lastMade.value?.by_name).toBe('me')
  })

  it('decides nothing about the group before while the next one is still on its way', async () => {
    const { inbox, asked } = inboxOf()
    await inbox.open('g')
    const opening = inbox.open('next')
    expect([inbox.openId.value, inbox.seen.value]).toEqual(['next', null])
    expect(await inbox.decide({ kind: 'ignored' })).toBe(false)
    expect([asked, inbox.conflict.value]).toEqual([[], null])
    await opening
  })

  it('keeps the group on the screen while the same one is read again', async () => {
    const { inbox } = inboxOf()
    await inbox.open('g')
    void inbox.open('g')
    expect(inbox.seen.value?.group.id).toBe('g')
  })

  it('shows both sides when somebody was quicker, and can then be done after all', async () => {
    let quicker = true
    const { inbox, asked } = inboxOf({
      groups: [seen(3), seen(4, decision('Lin'))],
      decide: () => {
        if (quicker) throw new ApiError(409, 'inbox_changed', 'Lin was quicker', '{"by":"Lin","change":"assign"}')
        return decision('me')
      },
    })
    await inbox.open('g')
    expect(await inbox.decide({ kind: 'ignored' })).toBe(false)
    expect(inbox.conflict.value).toMatchObject({ by: 'Lin', change: 'assign', mine: { kind: 'ignored' }, theirs: { by_name: 'Lin', intent: 'greet' } })
    quicker = false
    expect(await inbox.decide({ kind: 'ignored' })).toBe(true)
    expect(asked.at(-1)?.revision).toBe(4)
    expect(inbox.conflict.value).toBeNull()
  })

  it('lets another refusal through', async () => {
    const { inbox } = inboxOf({ decide: () => { throw new ApiError(409, 'inbox_exists', 'there already') } })
    await inbox.open('g')
    await expect(inbox.decide({ kind: 'assign', intent: 'greet', lines: [] })).rejects.toThrow('there already')
    expect(inbox.conflict.value).toBeNull()
  })
})

describe('others', () => {
  it('are noticed while their group is open, oneself is not', async () => {
    const { inbox } = inboxOf()
    inbox.watch(true)
    await inbox.open('g')
    inbox.apply({ type: 'mishaps', groups: ['g'], change: 'ignored', by_id: 'me', by_name: 'Me' }, 'me')
    expect(inbox.meanwhile.value).toBeNull()
    inbox.apply({ type: 'mishaps', groups: ['g'], change: 'ignored', by_id: 'lin', by_name: 'Lin' }, 'me')
    expect(inbox.meanwhile.value).toEqual({ by: 'Lin', change: 'ignored' })
    inbox.watch(false)
  })
})
