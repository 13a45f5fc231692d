// What an alert says in the reader's language.
import { useI18n } from 'vue-i18n'

import type { AlertNews, AlertWindow, Contribution } from './alerts'
import { percent } from './format'

export function useAlertWords() {
  const { t, te } = useI18n()

  function value(dimension: string, key: string): string {
    const paths: Record<string, string> = { intent: `intent.${key}`, channel: `channel.${key}`, language: `ratings.languages.${key}`, reason: `reason.${key}` }
    const path = paths[dimension]
    return path && te(path) ? t(path) : key
  }

  function title(one: AlertNews): string {
    return t(`alerts.rose.${one.kind}`, { name: one.key ? value('intent', one.key) : '' })
  }

  const usual = (n: number) => (n >= 10 ? String(Math.round(n)) : n.toFixed(1).replace(/\.0$/, ''))

  function fromTo(one: Pick<AlertWindow, 'span' | 'part' | 'whole' | 'usual'>): string {
    const span = t(`alerts.span.${one.span}`)
    if (one.whole) return t('alerts.fromToShare', { span, usual: percent(Math.min(1, one.usual / one.whole)), now: percent(one.part / one.whole), part: one.part, whole: one.whole })
    return t('alerts.fromTo', { span, usual: usual(one.usual), now: one.part })
  }

  const contribution = (one: Contribution) => ({ dimension: t(`alerts.dimension.${one.dimension}`), value: value(one.dimension, one.value), usual: usual(one.usual) })

  return { title, fromTo, contribution }
}
