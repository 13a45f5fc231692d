import { describe, expect, it, vi } from 'vitest'

import type { ConversationDetail, ConversationPage, FoundMessages, FoundPeople, ListedConversation } from '../src/api'
import { blocksOf } from '../src/blocks'
import { conditionsOf, fieldsOf, FIELDS } from '../src/filters'
import { markedPieces, withNames } from '../src/marks'
import { fieldValue, presetTime, untilText } from '../src/snooze'
import { createInbox, inOrder, isView } from '../src/stores/inbox'
import { createSearch } from '../src/stores/search'
import { createViews } from '../src/stores/views'
import type { Conditions, Conversation, Sort, View, Views } from '../src/types'
import { at, conversation, message, settled } from './build'

function desk(pages: Partial<Record<View, ListedConversation[]>>) {
  const asked: { view: View; sort: Sort | null }[] = []
  const inbox = createInbox({
    async conversations(view: View, _cursor: string | null = null, sort: Sort | null = null): Promise<ConversationPage> {
      asked.push({ view, sort })
      return { conversations: pages[view] ?? [], cursor: null }
    },
    async conversation(id: string): Promise<ConversationDetail> {
      return { conversation: conversation(id) } as ConversationDetail
    },
  })
  inbox.myId.value = 'me'
  return { inbox, asked, pages }
}

describe('the views', () => {
  it('leave a snoozed conversation out of mine and show it among the snoozed', async () => {
    const { inbox } = desk({ mine: [conversation('a')] })
    await inbox.refresh('mine')
    inbox.change(conversation('a', { snoozed_until: at(50), revision: 1 }))
    await inbox.refresh('mine')
    inbox.view.value = 'snoozed'
    expect([inbox.mine.value.length, inbox.rows.value.map((one) => one.id)]).toEqual([0, ['a']])
    inbox.change(conversation('a', { snoozed_until: null, revision: 2 }))
    expect([inbox.mine.value.length, inbox.rows.value.length]).toEqual([1, 0])
  })

  it('never take a lower revision for news, whatever its time', async () => {
    const { inbox } = desk({})
    inbox.change(conversation('a', { manual_priority: 'urgent', revision: 5 }))
    inbox.put(conversation('a', { manual_priority: 'none', revision: 4, updated_at: at(9) }))
    expect(inbox.known.get('a')?.manual_priority).toBe('urgent')
  })

  it('believe the server about filters and read them in the chosen order', async () => {
    const view: View = `filter:${'f'.repeat(32)}`
    const { inbox, asked } = desk({ [view]: [conversation('old', { status: 'resolved' })] })
    inbox.show(view)
    await settled()
    inbox.change(conversation('other'))
    expect(inbox.rows.value.map((one) => one.id)).toEqual(['old'])
    inbox.sortBy(view, 'waiting')
    await settled()
    expect(asked.at(-1)).toEqual({ view, sort: 'waiting' })
  })

  it('are known by their names', () => {
    expect([isView('mine'), isView(`filter:${'a'.repeat(32)}`), isView('filter:x'), isView('everything')]).toEqual([true, true, false, false])
  })

  it('sort by what was chosen', () => {
    const rows: Conversation[] = [
      conversation('a', { manual_priority: 'low', waiting_since: at(9), updated_at: at(1), opened_at: at(3) }),
      conversation('b', { manual_priority: 'urgent', updated_at: at(2), opened_at: at(1) }),
      conversation('c', { waiting_since: at(4), updated_at: at(3), opened_at: at(2) }),
    ]
    const order = (sort: Sort) => inOrder('all', rows, sort).map((one) => one.id).join('')
    expect([order('priority'), order('waiting'), order('newest'), order('oldest'), order('opened')]).toEqual(['bac', 'cab', 'cba', 'abc', 'acb'])
  })

  it('count notices and forget them when they are seen', () => {
    const { inbox } = desk({})
    inbox.change(conversation('a'))
    const notice = { conversation_id: 'a', seq: 3, by_name: 'Lin' }
    inbox.apply({ type: 'mention', staff_id: 'me', ...notice }, null)
    inbox.apply({ type: 'mention', staff_id: 'you', ...notice }, null)
    expect(inbox.known.get('a')?.unseen).toEqual({ mention: 1 })
    inbox.apply({ type: 'notices_seen', staff_id: 'me', conversation_id: 'a', seq: 3 }, null)
    expect(inbox.known.get('a')?.unseen).toEqual({})
  })
})

describe('the counts', () => {
  it('are read once for many changes in a row, and the open filter with them', async () => {
    vi.useFakeTimers()
    let reads = 0
    const { inbox, asked } = desk({})
    inbox.view.value = 'mentions'
    const views = createViews({ views: async () => ((reads += 1), { counts: {}, filters: [] } as unknown as Views), labels: async () => ({ labels: [] }) }, inbox, () => 0)
    for (let change = 0; change < 30; change += 1) views.apply({ type: 'conversation', conversation: conversation('a') })
    await vi.advanceTimersByTimeAsync(1_100)
    expect([reads, asked.map((one) => one.view)]).toEqual([1, ['mentions']])
    for (let second = 0; second < 10; second += 1) {
      views.apply({ type: 'conversation', conversation: conversation('a') })
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(reads).toBeGreaterThanOrEqual(2) // a busy desk does not keep them from being read
    vi.useRealTimers()
  })
})

describe('snoozing', () => {
  it.each([
    ['hours', new Date(2026, 2, 4, 22, 30), '2026-03-05T01:30'],
    ['tomorrow', new Date(2026, 2, 4, 8, 0), '2026-03-05T09:00'],
    ['tomorrow', new Date(2026, 11, 31, 23, 59), '2027-01-01T09:00'],
    ['monday', new Date(2026, 2, 4, 8, 0), '2026-03-09T09:00'],
    ['monday', new Date(2026, 2, 9, 8, 0), '2026-03-16T09:00'],
    ['monday', new Date(2026, 2, 8, 8, 0), '2026-03-09T09:00'],
  ] as const)('%s after %s is %s', (preset, now, expected) => {
    expect(fieldValue(presetTime(preset, now))).toBe(expected)
  })

  it('says a time of today without its day', () => {
    const now = new Date(2026, 2, 4, 8, 0)
    expect(untilText(new Date(2026, 2, 4, 14, 5).toISOString(), 'en', now.getTime())).toBe('14:05')
    expect(untilText(new Date(2026, 2, 5, 9, 0).toISOString(), 'zh', now.getTime())).toContain('周四')
  })
})

describe('marks', () => {
  it('count characters, not the units of a string', () => {
    expect(markedPieces('😀要退货吗', [[2, 4]])).toEqual([{ text: '😀要', hit: false }, { text: '退货', hit: true }, { text: '吗', hit: false }])
    expect(markedPieces('abc', [[0, 9]])).toEqual([{ text: 'abc', hit: true }])
    expect(markedPieces('abc', [])).toEqual([{ text: 'abc', hit: false }])
  })

  it('show mentions by name', () => {
    expect(withNames(`@[陈雨](${'a'.repeat(32)}) look at @[x](1)`)).toBe('@陈雨 look at @[x](1)')
  })
})

describe('filter fields', () => {
  const saved: Conditions = {
    status: ['queued'], label: ['1', '2'], every_label: true, waiting_longer_minutes: 15, unread: true, snoozed: false, agent: ['me', 'none'],
    created_within_days: 3, updated_after: new Date(2026, 2, 1).toISOString(), updated_before: new Date(2026, 2, 11).toISOString(),
  }

  it('come back as the conditions they were made from', () => {
    const fields = fieldsOf(saved)
    expect(conditionsOf(fields, FIELDS.filter((field) => fields.used.has(field)))).toEqual(saved)
    expect([fields.updated.from, fields.updated.to]).toEqual(['2026-03-01', '2026-03-10'])
  })

  it('ask for nothing while they are empty', () => {
    expect(conditionsOf(fieldsOf({}), ['status', 'label', 'created'])).toEqual({ created_within_days: 7 })
    expect(conditionsOf(fieldsOf({}), [])).toEqual({})
  })
})

describe('search', () => {
  function searching() {
    const answers: (() => void)[] = []
    const asked: string[] = []
    const search = createSearch({
      searchMessages: (wanted, offset) =>
        new Promise<FoundMessages>((resolve) => {
          asked.push(`${wanted.q}+${offset}`)
          const hit = { conversation_id: 'c', seq: offset + 1, author: 'contact', author_name: null, kind: 'text', created_at: at(1), snippet: wanted.q, marks: [] } as const
          answers.push(() => resolve({ hits: [{ ...hit, marks: [] }], conversations: {}, found: 2, next_offset: offset ? null : 1 }))
        }),
      search: async () => ({ conversations: [], cursor: null, customers: [], crm_available: true }) as FoundPeople,
    })
    return { search, answers, asked }
  }

  it('shows the answer to the last question only', async () => {
    const { search, answers } = searching()
    search.wanted.q = 'first'
    const one = search.now()
    search.wanted.q = 'second'
    const two = search.now()
    answers[1]!()
    await two
    answers[0]!()
    await one
    expect([search.asked.value, search.hits.value.map((hit) => hit.snippet), search.busy.value]).toEqual(['second', ['second'], false])
  })

  it('reads on where it ended', async () => {
    const { search, answers, asked } = searching()
    search.wanted.q = 'parcel'
    const first = search.now()
    answers[0]!()
    await first
    const more = search.more()
    answers[1]!()
    await more
    expect([asked, search.hits.value.map((hit) => hit.seq), search.next.value]).toEqual([['parcel+0', 'parcel+1'], [1, 2], null])
  })
})

describe('a merged thread', () => {
  it('keeps what was said elsewhere apart, with where it was said', () => {
    const own = [message(1, { conversation_id: 'a', created_at: at(1) }), message(2, { conversation_id: 'a', created_at: at(5) })]
    const other = message(1, { id: 'x1', conversation_id: 'b', created_at: at(3) })
    const groups = blocksOf([own[0]!, other, own[1]!], [], { id: 'me', name: 'Me' }, 'a').filter((block) => block.type === 'group')
    expect(groups.map((group) => group.origin)).toEqual([null, 'b', null])
  })
})
