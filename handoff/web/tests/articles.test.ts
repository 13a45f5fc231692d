// The days of an article belong to the desk, wherever its trainer sits.
import { afterEach, describe, expect, it } from 'vitest'

import { sentDays, shownDays } from '../src/article_days'

const ZONE = 'Asia/Shanghai'
/** 1 to 31 December in Shanghai, as the server tells it. */
const DECEMBER = { valid_from: '2026-11-30T16:00:00.000Z', valid_until: '2026-12-31T16:00:00.000Z' }
const usual = process.env.TZ
afterEach(() => void (process.env.TZ = usual))

describe('the days of an article', () => {
  it.each(['Asia/Shanghai', 'UTC', 'America/Los_Angeles'])('are days of the desk for a reader in %s', (reader) => {
    process.env.TZ = reader
    expect(shownDays(DECEMBER, ZONE)).toEqual({ valid_from: '2026-12-01', valid_until: '2026-12-31' })
  })

  it('go back exactly as they came where nobody changed them', () => {
    expect(sentDays(shownDays(DECEMBER, ZONE), DECEMBER, ZONE)).toEqual(DECEMBER)
    const halfPastNine = { valid_from: '2026-12-01T01:30:00.000Z', valid_until: null }
    expect(sentDays(shownDays(halfPastNine, ZONE), halfPastNine, ZONE)).toEqual(halfPastNine)
  })

  it('are sent as days where somebody chose others or took one away', () => {
    expect(sentDays({ valid_from: '2026-12-05', valid_until: '2026-12-31' }, DECEMBER, ZONE)).toEqual({ valid_from: '2026-12-05', valid_until: DECEMBER.valid_until })
    expect(sentDays({ valid_from: null, valid_until: '2027-01-31' }, DECEMBER, ZONE)).toEqual({ valid_from: null, valid_until: '2027-01-31' })
  })
})
