// What the channel page makes of what the server tells it.
import { describe, expect, it, vi } from 'vitest'

import { accountsOf, adviceFor, countOf, isNews, settleAll, toneOf, type ChannelHealth, type LetterChoice, type LetterCount } from '../src/channels'
import { en } from '../src/i18n/en'
import { zh } from '../src/i18n/zh'

const COUNTS: LetterCount[] = [
  { channel: 'slack', account: 'shop', state: 'dead', number: 3 },
  { channel: 'slack', account: 'shop', state: 'unknown', number: 1 },
  { channel: 'slack', account: 'other', state: 'dead', number: 5 },
  { channel: 'email', account: 'default', state: 'unknown', number: 2 },
]

describe('adviceFor', () => {
  it.each([
    ['rejected', 'error 40164: invalid ip; add this server\'s address to the account\'s IP white list', 'addresses'],
    ['unavailable', 'error 60020: not allow; add this server\'s address to the app\'s trusted addresses (企业可信IP)', 'addresses'],
    ['unreachable', 'error 45015: out of time; the contact wrote more than 48 hours ago and must write again first', 'window'],
    ['unreachable', 'message: 131047 (the contact wrote too long ago, the time in which Meta lets us answer is over)', 'window'],
    ['unreachable', 'chat.postMessage: is_archived', 'contact'],
    ['', 'chat.postMessage: is_archived', 'contact'],
    ['', 'the channel account wechat/shop is not set up any more', 'gone'],
    ['refused', 'x-slack-signature does not match', 'secret'],
    ['refused', 'the request is more than five minutes old', 'clock'],
    ['unavailable', 'SMTP smtp.shop.example: signing in was refused (535)', 'signIn'],
    ['unavailable', 'IMAP imap.shop.example: the mailbox cannot be opened: [AUTHENTICATIONFAILED] Authentication failed.', 'signIn'],
    ['rejected', 'auth.test: invalid_auth (bot_token is wrong)', 'token'],
    ['unavailable', 'error 40001: the channel refuses the token; check id and secret of the account', 'token'],
    ['rejected', 'accessToken: HTTP 400 invalidClientIdOrSecret check client_id and secret', 'token'],
    ['rejected', 'number: 190 (the access token has expired or was withdrawn; make a new one and set access_token)', 'token'],
    ['rejected', 'the webhook: HTTP 401', 'token'],
    ['unavailable', 'Conflict: terminated by other getUpdates request', 'twice'],
    ['unavailable', 'chat.postMessage: no connection (ConnectError)', 'network'],
    ['unavailable', 'there is no connection to the broker broker.example.com:8883', 'network'],
    ['unavailable', 'the webhook: HTTP 503', 'vendor'],
    ['unreadable', 'the body is no JSON', 'unreadable'],
    ['crashed', 'ZeroDivisionError', 'crashed'],
    ['rejected', 'chat.postMessage: msg_blocks_too_long', 'rejected'],
    ['forbidden_address', 'the webhook\'s host leads into a private network; see allow_private_addresses', 'inside'],
    ['', 'the webhook\'s host leads into a private network; see allow_private_addresses', 'inside'],
    ['something new', 'in words nobody knows', 'rejected'],
  ])('of %s, "%s" is %s', (code, text, advice) => {
    expect(adviceFor({ code, text })).toBe(advice)
    expect(en.channels.advice).toHaveProperty(advice)
    expect(zh.channels.advice).toHaveProperty(advice)
  })
})

describe('isNews', () => {
  const health = (more: Partial<ChannelHealth>): ChannelHealth => ({ connection: null, received_at: null, sent_at: null, fine_at: null, error: null, refusal: null, errors_in_hour: 0, refusals_in_hour: 0, ...more })
  const error = { code: 'rejected', text: 'no', at: '2026-03-02T10:00:00Z' }

  it('holds until something works again', () => {
    expect(isNews(health({}))).toBe(false)
    expect(isNews(health({ error }))).toBe(true)
    expect(isNews(health({ error, sent_at: '2026-03-02T09:00:00Z' }))).toBe(true)
    expect(isNews(health({ error, sent_at: '2026-03-02T10:01:00Z' }))).toBe(false)
    expect(isNews(health({ error, fine_at: '2026-03-02T10:01:00Z' }))).toBe(false)
    expect(isNews(health({ error: { ...error, code: 'unreachable' } }))).toBe(false)
  })
})

it('counts what fits a filter, and names each account once', () => {
  expect(countOf(COUNTS, {})).toBe(11)
  expect(countOf(COUNTS, { channel: 'slack' })).toBe(9)
  expect(countOf(COUNTS, { channel: 'slack', account: 'shop', state: 'unknown' })).toBe(1)
  expect(countOf(COUNTS, { channel: 'mqtt' })).toBe(0)
  expect(accountsOf(COUNTS)).toEqual([
    { channel: 'slack', account: 'shop', number: 4 },
    { channel: 'slack', account: 'other', number: 5 },
    { channel: 'email', account: 'default', number: 2 },
  ])
})

describe('settleAll', () => {
  const choice: LetterChoice = { channel: '', account: '', state: '', up_to: 900 }

  it('goes on after where each part ended, and ends although the same ones are dead again', async () => {
    const answers = [{ done: 500, after: 512 }, { done: 0, after: 700 }, { done: 7, after: null }]
    const settle = vi.fn(async (_part: LetterChoice) => answers.shift() as { done: number; after: number | null })
    const told: number[] = []
    expect(await settleAll(choice, settle, (done) => told.push(done))).toBe(507)
    expect(settle.mock.calls.map(([part]) => part.after)).toEqual([undefined, 512, 700])
    expect(told).toEqual([500, 500, 507])
  })

  it('stops at a failure, so that it can be told', async () => {
    await expect(settleAll(choice, () => Promise.reject(new Error('503')))).rejects.toThrow('503')
  })
})

it('colours what needs somebody, and every status has its word in both languages', () => {
  for (const status of ['failing', 'refusing', 'connecting', 'connected', 'receiving', 'ready', 'waiting'] as const) {
    expect(en.channels.status[status]).toBeTruthy()
    expect(zh.channels.status[status]).toBeTruthy()
  }
  expect(toneOf('failing')).toBe('danger')
  expect(toneOf('refusing')).toBe('danger')
  expect(toneOf('waiting')).toBe('warn')
  expect(toneOf('receiving')).toBe('ok')
})
