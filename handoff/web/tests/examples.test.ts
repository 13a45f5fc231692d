import { describe, expect, it } from 'vitest'

import { languageOf, pastedLines, pieces, written, type Mark } from '../src/examples'

const mark = (start: number, end: number, entity = 'product', value = ''): Mark => ({ start, end, entity, value })

describe('pasted lines', () => {
  it('are one example each, without list marks, blanks and repetitions', () => {
    expect(pastedLines('- where is it\r\n• 到哪了 \n\n* 到哪了\nwhere is it\u2028-5 degrees')).toEqual(['where is it', '到哪了', '-5 degrees'])
  })
  it('may be none', () => expect(pastedLines(' \n ')).toEqual([]))
})

describe('the language of a text', () => {
  it('is Chinese as soon as one character is', () => {
    expect([languageOf('my 快递 is late'), languageOf('late'), languageOf('😀')]).toEqual(['zh', 'en', 'en'])
  })
})

describe('marks', () => {
  it('count characters, so that a picture before them moves nothing', () => {
    const plain = '😀 my Aria 5'
    expect(pieces({ plain, entities: [mark(5, 11)] }).map((one) => one.text)).toEqual(['😀 my ', 'Aria 5'])
    expect(written(plain, [mark(5, 11)])).toBe('😀 my [Aria 5]{"entity": "product"}')
  })
  it('are written with a value only where it differs from the words', () => {
    expect(written('my Aria', [mark(3, 7, 'product', 'Aria 5')])).toBe('my [Aria]{"entity": "product", "value": "Aria 5"}')
    expect(written('my Aria', [mark(3, 7, 'product', 'Aria')])).toBe('my [Aria]{"entity": "product"}')
    expect(written('say ":" now', [mark(4, 7, 'brand', 'a":"b')])).toBe('say [":"]{"entity": "brand", "value": "a\\":\\"b"} now')
  })
  it('that overlap are written once', () => {
    expect(written('abcdef', [mark(0, 3), mark(2, 5)])).toBe('[abc]{"entity": "product"}def')
  })
})
