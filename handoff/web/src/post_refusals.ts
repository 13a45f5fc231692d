// Why something that is posted or mailed regularly was refused or not taken, in the reader's language.
import { ApiError } from './api'
import { i18n } from './i18n'
import { refusalOf } from './refusals'

/** What the server says of an address, and our word for it; the first that fits wins. */
const ADDRESS: readonly [RegExp, string][] = [
  [/private network/i, 'inside'],
  [/begin with https/i, 'noTls'],
  [/its port must/i, 'port'],
  [/user name or password/i, 'userinfo'],
  [/not a URL/i, 'noUrl'],
]
const NOT_TAKEN: readonly [RegExp, string][] = [
  [/private network/i, 'inside'],
  [/^HTTP (\d{3})/, 'http'],
  [/mail server answered (\d{3})/, 'mailCode'],
  [/mail server did not take it/, 'mail'],
  [/no mail server/, 'noMailServer'],
  [/^no answer/, 'silent'],
]

function worded(pairs: readonly [RegExp, string][], said: string): string | null {
  for (const [pattern, word] of pairs) {
    const found = pattern.exec(said)
    if (found) return i18n.global.t(`posts.${word}`, { code: found[1] ?? '' })
  }
  return null
}

/** Why a digest, or the address of alerts, is not kept. */
export function postRefusal(failure: unknown): string {
  if (!(failure instanceof ApiError) || failure.offline) return refusalOf(failure)
  if (failure.code === 'bad_webhook') return worded(ADDRESS, failure.message) ?? failure.message
  if (failure.code === 'bad_request' && /e-mail addresses/.test(failure.message)) return i18n.global.t('posts.badMail')
  const known = `posts.refused.${failure.code}`
  return i18n.global.te(known) ? i18n.global.t(known) : refusalOf(failure)
}

/** Why it was not taken the last time; what is not known is said as the desk noted it. */
export const notTaken = (said: string): string => worded(NOT_TAKEN, said) ?? said
