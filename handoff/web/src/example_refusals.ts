// Why a change of examples was refused, in the reader's language.
import { ApiError } from './api'
import { i18n } from './i18n'

export function exampleRefusal(failure: unknown): string {
  const { t, te } = i18n.global
  if (!(failure instanceof ApiError) || failure.offline) return t('app.unreachable')
  const known = `examples.refused.${failure.code}`
  const language = failure.about.language
  return te(known) ? t(known, { ...failure.about, language: language ? t(`examples.languages.${String(language)}`) : '' }) : failure.message
}
