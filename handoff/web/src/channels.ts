// Channel accounts and what they could not deliver: the JSON of the API, and what the page makes of it.

export type ChannelStatus = 'failing' | 'refusing' | 'connecting' | 'connected' | 'receiving' | 'ready' | 'waiting'
export interface Told { code: string; text: string; at: string }
export interface ChannelHealth {
  connection: 'connecting' | 'connected' | 'broken' | null
  received_at: string | null
  sent_at: string | null
  fine_at: string | null
  error: Told | null
  refusal: Told | null
  errors_in_hour: number
  refusals_in_hour: number
}
export interface SetUp { page: string; where: string; enter: { field: string; setting: string }[]; events: string[]; recipient: string }
export interface ChannelAccount {
  channel: string
  account: string
  webhook: 'pasted' | 'registered' | 'none'
  url: string | null
  url_is_private: boolean
  holds_connection: boolean
  checkable: boolean
  sendable: boolean
  set_up: SetUp
  /** What is unsafe about how the account is set up. */
  warning: { zh: string; en: string } | null
  status: ChannelStatus
  health: ChannelHealth
}
export interface AddableChannel { channel: string; snippet: string; variables: string[]; set_up: SetUp; used: boolean }
export interface Trial { ok: boolean; code: string; detail: string; retry_after_seconds: number | null }
export interface Writer { contact: string; name: string | null; at: string }

export type LetterState = 'dead' | 'unknown'
export interface Letter {
  id: string
  ordinal: number
  state: LetterState
  channel: string
  account: string
  contact: string
  contact_name: string | null
  conversation_id: string
  seq: number
  author: string
  text: string
  files: number
  error: string | null
  attempts: number
  created_at: string
}
export interface LetterCount { channel: string; account: string; state: LetterState; number: number }
export interface LetterPage { deliveries: Letter[]; cursor: number | null; counts: LetterCount[] }
/** Empty strings do not limit. */
export interface LetterFilter { channel: string; account: string; state: '' | LetterState }
export type LetterChoice = LetterFilter & { up_to: number; after?: number }

/** The colour of a status; the word says the same. */
export function toneOf(status: ChannelStatus): 'danger' | 'warn' | 'ok' | '' {
  if (status === 'failing' || status === 'refusing') return 'danger'
  if (status === 'connecting' || status === 'waiting') return 'warn'
  return 'ok'
}

export type Advice = 'addresses' | 'window' | 'clock' | 'secret' | 'signIn' | 'token' | 'twice' | 'network' | 'vendor' | 'contact' | 'unknown' | 'unreadable' | 'crashed' | 'wait' | 'inside' | 'gone' | 'rejected'

/** What vendors and our connectors say, and what to do then; the first that fits wins. */
const SAID: readonly [RegExp, Advice][] = [
  [/\b(40164|60020)\b|white list|trusted addresses/i, 'addresses'],
  [/\b(45015|45047|131047|2018278)\b|wrote (more than|too long)|must write again/i, 'window'],
  [/leads into a private network/i, 'inside'],
  [/minutes old|hour away|clock is wrong|too old/i, 'clock'],
  [/signing in was refused|AUTHENTICATIONFAILED|login failed|invalid credentials/i, 'signIn'],
  [/getUpdates|conflict|two programs/i, 'twice'],
  [/no connection|cannot be reached|does not answer|no answer|connection (to|broke)|ConnectError|timed? ?out|name or service/i, 'network'],
  [/is not set up any more/i, 'gone'],
  [/is_archived|channel_not_found|user_not_found|user_disabled|not_in_channel|blocked|chat not found|deactivated|visible range|does not follow|not want to hear|is gone for good/i, 'contact'],
  [/HTTP 5\d\d|answered 5\d\d|is busy/i, 'vendor'],
  [/token|unauthori[sz]ed|invalid_auth|not_authed|\b(190|40001|40013|40125|42001)\b|client_id and secret|client_secret|invalid ?client|HTTP 40[13]/i, 'token'],
]
const CODES: Record<string, Advice> = { unreachable: 'contact', unknown: 'unknown', unreadable: 'unreadable', crashed: 'crashed', rate_limited: 'wait', unavailable: 'vendor', forbidden_address: 'inside' }

export function adviceFor(told: Pick<Told, 'code' | 'text'>): Advice {
  if (told.code === 'refused') return /minutes old|hour away|clock|too old/i.test(told.text) ? 'clock' : 'secret'
  const found = SAID.find(([said]) => said.test(told.text))?.[1]
  if (told.code === 'unreachable') return found === 'window' ? found : 'contact'
  return found ?? CODES[told.code] ?? 'rejected'
}

/** Whether it is the desk's own refusal, of which the advice says everything, in the reader's language. */
export function isOurs(told: Pick<Told, 'code' | 'text'>): boolean {
  return adviceFor(told) === 'inside'
}

/** Whether an error is of one customer or message only, and says nothing about the account. */
export function isPassing(told: Pick<Told, 'code'>): boolean {
  return told.code === 'unreachable' || told.code === 'unreadable'
}

/** Whether an error of the account is still news: nothing has worked since. */
export function isNews(health: ChannelHealth): boolean {
  const { error } = health
  if (!error || isPassing(error)) return false
  return [health.sent_at, health.fine_at].every((good) => !good || Date.parse(good) < Date.parse(error.at))
}

export function countOf(counts: readonly LetterCount[], filter: Partial<LetterFilter>): number {
  return counts
    .filter((one) => (!filter.channel || one.channel === filter.channel) && (!filter.account || one.account === filter.account) && (!filter.state || one.state === filter.state))
    .reduce((sum, one) => sum + one.number, 0)
}

/** The accounts that have something undelivered, once each. */
export function accountsOf(counts: readonly LetterCount[]): { channel: string; account: string; number: number }[] {
  const found = new Map<string, { channel: string; account: string; number: number }>()
  for (const { channel, account, number } of counts) {
    const key = `${channel}/${account}`
    found.set(key, { channel, account, number: (found.get(key)?.number ?? 0) + number })
  }
  return [...found.values()]
}

/** Settles all that fit, part by part from the oldest on, so that what fails again at once is not met twice. */
export async function settleAll(choice: LetterChoice, settle: (part: LetterChoice) => Promise<{ done: number; after: number | null }>, told: (done: number) => void = () => undefined): Promise<number> {
  let done = 0
  let after: number | undefined
  for (;;) {
    const part = await settle(after === undefined ? choice : { ...choice, after })
    done += part.done
    told(done)
    if (part.after === null) return done
    after = part.after
  }
}
