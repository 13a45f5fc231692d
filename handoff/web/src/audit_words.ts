// Entries of the audit trail in plain words; what was recorded is shown beside them as it is.
import type { AuditEntry } from './types'

type Translate = (key: string, named?: Record<string, string>) => string
type Known = (key: string) => boolean

/** What the sentences may name; everything else of an entry is only in its recorded form. */
const NAMED = ['from', 'to', 'name', 'title', 'term', 'channel', 'account', 'result', 'part', 'version', 'ticket', 'what', 'on', 'live', 'before', 'candidate', 'share', 'gone', 'model'] as const

export function whoOf(entry: AuditEntry, t: Translate, te: Known): string {
  return entry.actor_name ?? (te(`audit.actors.${entry.actor}`) ? t(`audit.actors.${entry.actor}`) : entry.actor)
}

export function whatOf(entry: AuditEntry, t: Translate, te: Known): string {
  if (!te(`audit.told.${entry.kind}`)) return t('audit.toldUnknown', { kind: entry.kind })
  const named = Object.fromEntries(NAMED.map((name) => [name, word(entry.data[name], t, te)]))
  return t(`audit.told.${entry.kind}`, named)
}

/** The conversation that an entry is about, also where only its data names it. */
export function conversationOf(entry: AuditEntry): string | null {
  const named = entry.data.conversation_id
  return entry.conversation_id ?? (typeof named === 'string' && /^[0-9a-f]{32}$/.test(named) ? named : null)
}

/** The moment a day begins or ends where the reader is; nothing for no day. */
export function edgeOf(day: string, end: boolean): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return ''
  const moment = new Date(`${day}T00:00:00`)
  if (Number.isNaN(moment.getTime())) return ''
  if (end) moment.setDate(moment.getDate() + 1)
  return moment.toISOString()
}

function word(value: unknown, t: Translate, te: Known): string {
  if (value === null || value === undefined || value === '') return t('audit.nameless')
  if (typeof value === 'object') return '…'
  const text = String(value)
  return te(`audit.values.${text}`) ? t(`audit.values.${text}`) : text
}
