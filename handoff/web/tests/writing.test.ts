// What agents write with: gaps, lists, mentions, search, actions, uploads and one tab that rings.
import { describe, expect, it } from 'vitest'

import { ApiError } from '../src/api'
import { askedFor, gapsIn, nextGap, splitMentions, withMentions } from '../src/compose'
import { found, score } from '../src/fuzzy'
import { createActions, type Action } from '../src/stores/actions'
import { createOneTab, type Line, type Said } from '../src/stores/one_tab'
import { createUploads, MAX_FILES } from '../src/stores/uploads'
import type { Attachment } from '../src/types'
import { settled } from './build'

const KNOWN = new Set(['order.number', 'contact.name'])

describe('gaps in a reply', () => {
  it('are known variables that nobody filled in', () => {
    const text = 'Hi {{contact.name|you}}, {{ order.number }} {{not.known}} {{'
    expect(gapsIn(text, KNOWN).map((gap) => text.slice(gap.start, gap.end))).toEqual(['{{contact.name|you}}', '{{ order.number }}'])
  })

  it('are visited one after the other', () => {
    const gaps = gapsIn('{{order.number}} {{contact.name}}', KNOWN)
    expect(nextGap(gaps, 5)?.name).toBe('contact.name')
    expect(nextGap(gaps, 30)?.name).toBe('order.number')
    expect(nextGap([], 0)).toBeNull()
  })
})

describe('the word under the cursor', () => {
  it.each([
    ['/', 'reply', { kind: 'canned', start: 0, end: 1, query: '' }],
    ['ok /退款', 'reply', { kind: 'canned', start: 3, end: 6, query: '退款' }],
    ['and/or', 'reply', null],
    ['see https://x.example/a', 'reply', null],
    ['/ref und', 'reply', null],
    ['问@陈', 'note', { kind: 'mention', start: 1, end: 3, query: '陈' }],
    ['mail me@x', 'note', null],
    ['@li', 'reply', null],
  ] as const)('%j in a %s', (text, mode, expected) => {
    expect(askedFor(text, text.length, mode)).toEqual(expected)
  })
})

describe('mentions', () => {
  const id = (letter: string) => letter.repeat(32)
  const people = [{ id: id('a'), name: 'Lin' }, { id: id('b'), name: 'Lin Wei 林薇' }, { id: id('c'), name: 'Sam' }, { id: id('d'), name: 'Sam' }]

  it('are stored with the id, the longest name first, and the picked one of two namesakes', () => {
    expect(withMentions('@Lin Wei 林薇 and @Lin, ask @Sam', people, new Map([['Sam', id('d')]]))).toBe(`@[Lin Wei 林薇](${id('b')}) and @[Lin](${id('a')}), ask @[Sam](${id('d')})`)
    expect(withMentions('@Nobody @Linda', people)).toBe('@Nobody @Linda')
  })

  it('are shown as names again', () => {
    expect(splitMentions(`hi @[Sam](${id('c')})!`)).toEqual([{ kind: 'text', text: 'hi ' }, { kind: 'mention', name: 'Sam', id: id('c') }, { kind: 'text', text: '!' }])
    expect(splitMentions('no @[x](nothex)')).toEqual([{ kind: 'text', text: 'no @[x](nothex)' }])
  })
})

describe('finding', () => {
  const things = ['Transfer…', 'Back to queue…', '转接 zhuanjie zj', 'Resolve', 'Refund progress 退款进度']
  const best = (query: string) => found(query, things, (one) => [one])[0]

  it.each([['tra', 'Transfer…'], ['queue', 'Back to queue…'], ['zj', '转接 zhuanjie zj'], ['btq', 'Back to queue…'], ['退款', 'Refund progress 退款进度'], ['prog ref', 'Refund progress 退款进度'], ['rslv', 'Resolve']])('%s', (query, thing) => {
    expect(best(query)).toBe(thing)
  })

  it('finds nothing for what fits nowhere, and everything for nothing', () => {
    expect(best('xyz')).toBeUndefined()
    expect(score('', ['anything'])).toBeGreaterThan(0)
    expect(score('Éclair', ['eclair'])).toBeGreaterThan(100)
  })
})

describe('the register of actions', () => {
  function register() {
    const ran: string[] = []
    const actions = createActions()
    const one = (id: string, more: Partial<Action> = {}): Action => ({ id, group: 'desk', title: () => id, run: () => ran.push(id), ...more })
    return { actions, ran, one }
  }

  it('runs what is allowed and nothing else', () => {
    const { actions, ran, one } = register()
    actions.add(one('yes'), one('no', { why: () => 'not yours' }), one('hidden', { shown: () => false }))
    expect([actions.run('yes'), actions.run('no'), actions.run('hidden'), actions.run('unknown')]).toEqual([true, false, false, false])
    expect(ran).toEqual(['yes'])
    expect(actions.shown().map((action) => action.id)).toEqual(['yes', 'no'])
    expect(actions.why('no')).toBe('not yours')
  })

  it('knows keys one after the other', () => {
    const { actions, one } = register()
    actions.add(one('accept', { keys: ['a'] }), one('all', { keys: ['g', 'a'] }))
    expect(actions.forKeys(['g'])).toBe('more')
    expect((actions.forKeys(['g', 'a']) as Action).id).toBe('all')
    expect((actions.forKeys(['a']) as Action).id).toBe('accept')
    expect(actions.forKeys(['g', 'x'])).toBeNull()
  })

  it('takes back only what was offered', () => {
    const { actions, one } = register()
    const forget = actions.add(one('a'))
    actions.add(one('a', { group: 'go' }))
    forget()
    expect(actions.shown().map((action) => action.group)).toEqual(['go'])
  })
})

describe('uploads', () => {
  const file = (name: string, size = 10) => ({ name, size }) as File

  function server() {
    const waiting = new Map<string, { done: () => void; fail: (error: Error) => void; progress: (share: number) => void }>()
    const api = {
      upload: (sent: File, progress: (share: number) => void = () => undefined, signal?: AbortSignal) =>
        new Promise<{ attachment: Attachment }>((resolve, reject) => {
          waiting.set(sent.name, { done: () => resolve({ attachment: { id: sent.name, name: sent.name, media_type: 'x', size: 1 } }), fail: reject, progress })
          signal?.addEventListener('abort', () => reject(new ApiError(0, 'cancelled', '')))
        }),
    }
    return { waiting, uploads: createUploads(api) }
  }

  it('run three at a time, show how far they are, and follow one another', async () => {
    const { waiting, uploads } = server()
    uploads.add('c', ['a', 'b', 'c', 'd'].map((name) => file(name)))
    expect([...waiting.keys()]).toEqual(['a', 'b', 'c'])
    waiting.get('a')?.progress(0.5)
    expect(uploads.of('c')[0]?.share).toBe(0.5)
    waiting.get('b')?.done()
    await settled()
    expect([...waiting.keys()]).toEqual(['a', 'b', 'c', 'd'])
    expect(uploads.busy('c')).toBe(true)
    for (const name of ['a', 'c', 'd']) waiting.get(name)?.done()
    await settled()
    expect(uploads.take('c').map((one) => one.id)).toEqual(['a', 'b', 'c', 'd'])
    expect(uploads.of('c')).toEqual([])
  })

  it('can be cancelled and, when they failed, repeated', async () => {
    const { waiting, uploads } = server()
    uploads.add('c', [file('a'), file('b')])
    uploads.remove('c', uploads.of('c')[0]!.id)
    waiting.get('b')?.fail(new ApiError(400, 'invalid', 'no such type'))
    await settled()
    expect(uploads.of('c').map((one) => [one.name, one.error, one.code])).toEqual([['b', 'no such type', 'invalid']])
    waiting.clear()
    uploads.retry('c', uploads.of('c')[0]!.id)
    waiting.get('b')?.done()
    await settled()
    expect(uploads.take('c').map((one) => one.name)).toEqual(['b'])
  })

  it('are refused when they are too many or too large', () => {
    const { uploads } = server()
    const refused = uploads.add('c', [file('huge', 11 * 1024 * 1024), ...Array.from({ length: MAX_FILES + 2 }, (_, n) => file(`f${n}`))])
    expect(refused.tooLarge.map((one) => one.name)).toEqual(['huge'])
    expect(refused.tooMany.length).toBe(2)
  })
})

describe('one of several tabs', () => {
  /** Tabs on one channel; nobody decides before `go` is called. */
  function tabs(...names: string[]) {
    const hearers = new Map<string, (message: Said) => void>()
    let go = () => undefined as void
    let gate = new Promise<void>((resolve) => (go = resolve))
    const all = names.map((name) => {
      const line: Line = {
        post: (message) => hearers.forEach((hear, other) => other !== name && hear(message)),
        listen: (hear) => hearers.set(name, hear),
      }
      return createOneTab(line, name, () => gate)
    })
    return { all, go: () => { go(); gate = Promise.resolve() } }
  }

  it('rings', async () => {
    const { all, go } = tabs('a', 'b', 'c')
    const verdicts = Promise.all(all.map((tab) => tab.decide('e1', false, false)))
    go()
    expect((await verdicts).map((one) => one.ring)).toEqual([true, false, false])
  })

  it('is quiet when any of them shows what it is about', async () => {
    const { all, go } = tabs('a', 'b')
    const verdicts = Promise.all([all[0]!.decide('e1', false, false), all[1]!.decide('e1', true, true)])
    go()
    expect(await verdicts).toEqual([{ ring: false, watched: true, focused: true }, { ring: false, watched: true, focused: true }])
  })

  it('does not ring again for a tab that hears late, nor twice itself', async () => {
    const { all, go } = tabs('a', 'b')
    go()
    expect((await all[1]!.decide('e1', false, false)).ring).toBe(true)
    expect((await all[0]!.decide('e1', false, false)).ring).toBe(false)
    expect((await all[1]!.decide('e1', false, false)).ring).toBe(false)
    expect((await all[0]!.decide('e2', false, false)).ring).toBe(true)
  })
})
