// Why something about tests and trials was refused, in the reader's language.
import { ApiError } from './api'
import { i18n } from './i18n'

export function measuringRefusal(failure: unknown): string {
  const { t, te } = i18n.global
  if (!(failure instanceof ApiError) || failure.offline) return t('measuring.unreachable')
  const known = `measuring.refused.${failure.code}`
  return te(known) ? t(known) : failure.message
}
