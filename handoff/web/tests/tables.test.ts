// Tables in what the bot says are drawn as tables; everything else stays text.
import { describe, expect, it } from 'vitest'

import { splitTables } from '../src/links'

describe('splitTables', () => {
  it('takes a table out of the text around it', () => {
    expect(splitTables('Times\n\n| To | Days |\n|---|---|\n| Hong Kong | 2–4 |\nAsk us.')).toEqual([
      { kind: 'text', text: 'Times' },
      { kind: 'table', header: ['To', 'Days'], rows: [['Hong Kong', '2–4']] },
      { kind: 'text', text: 'Ask us.' },
    ])
  })

  it.each(['a | b', '| a | b |', '| a |\nno rule', '<b>|</b>', ''])('leaves %j as it is', (text) => {
    expect(splitTables(text)).toEqual(text ? [{ kind: 'text', text }] : [])
  })
})
