import { describe, expect, it } from 'vitest'

import { maskPieces, masksIn } from '../src/masks'
import { createTranscripts } from '../src/stores/transcript'
import type { Hidden, Message } from '../src/types'
import { message } from './build'

const hidden: Hidden = { text: [[2, 13, 'phone'], [14, 17, 'address']] }

describe('masked words', () => {
  it('are found by places that count code points, as the server does', () => {
    expect(masksIn('😀 138****5678 ***', hidden, 'text')).toEqual(['138****5678', '***'])
  })

  it('are cut at their masks, the longer one first', () => {
    expect(maskPieces('打 138****5678 或 ***', masksIn('😀 138****5678 ***', hidden, 'text'))).toEqual([
      { text: '打 ', masked: false }, { text: '138****5678', masked: true }, { text: ' 或 ', masked: false }, { text: '***', masked: true },
    ])
  })

  it('are one piece where nothing is masked', () => {
    expect(masksIn('***', undefined, 'text')).toEqual([])
    expect(maskPieces('2 * 3 *** 4', [])).toEqual([{ text: '2 * 3 *** 4', masked: false }])
  })

  it('may hold the signs of regular expressions', () => {
    expect(maskPieces('a (65*) b', ['(65*)'])).toEqual([{ text: 'a ', masked: false }, { text: '(65*)', masked: true }, { text: ' b', masked: false }])
  })
})

describe('a transcript that was masked', () => {
  it('is read once more when somebody may see more of it', async () => {
    let clear = false
    const store = createTranscripts({
      async messages(_id: string, after: number) {
        const listed: Message[] = [message(1), message(2, clear ? { text: '13812345678' } : { text: '138****5678', hidden: { text: [[0, 11, 'phone']] } })]
        return { messages: listed.filter((one) => one.seq > after), last_seq: 2 }
      },
      reply: () => Promise.reject(new Error('not here')),
      note: () => Promise.reject(new Error('not here')),
    })
    store.open('c1')
    await store.read('c1')
    clear = true
    await store.reread('c1')
    expect(store.get('c1')?.messages.map((one) => one.text)).toEqual(['text 1', '13812345678'])
  })
})
