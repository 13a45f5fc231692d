// Between the conditions the server keeps and the fields of the filter dialog.
import type { Conditions, Priority, Status } from './types'

export const FIELDS = [
  'status', 'channel', 'language', 'label', 'priority', 'team', 'agent', 'waiting_longer_minutes', 'sentiment', 'handoff_reason', 'tier', 'created', 'updated', 'unread', 'snoozed',
] as const
export type Field = (typeof FIELDS)[number]
const LISTS = ['status', 'channel', 'language', 'label', 'priority', 'team', 'agent', 'sentiment', 'handoff_reason', 'tier'] as const

interface Span { by: 'days' | 'dates'; days: number; from: string; to: string }
export interface FilterFields extends Record<(typeof LISTS)[number], string[]> {
  used: Set<Field>
  every_label: boolean
  waiting_longer_minutes: number
  created: Span
  updated: Span
  snoozed: boolean
}

/** The local calendar day of a moment, and the first moment of a day. */
const dayOf = (iso: string) => {
  const at = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}
const startOf = (day: string, later = 0) => {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return new Date(year, month - 1, date + later).toISOString()
}

export function fieldsOf(saved: Conditions): FilterFields {
  const used = new Set<Field>()
  const lists = Object.fromEntries(LISTS.map((name) => [name, [...(saved[name] ?? [])]])) as Record<(typeof LISTS)[number], string[]>
  for (const name of LISTS) if (lists[name].length) used.add(name)
  for (const name of ['waiting_longer_minutes', 'unread', 'snoozed'] as const) if (saved[name] !== undefined) used.add(name)
  const span = (name: 'created' | 'updated'): Span => {
    const [after, before, days] = [saved[`${name}_after`], saved[`${name}_before`], saved[`${name}_within_days`]]
    if (after || before || days) used.add(name)
    const lastDay = before ? dayOf(new Date(Date.parse(before) - 1).toISOString()) : ''
    return { by: after || before ? 'dates' : 'days', days: days ?? 7, from: after ? dayOf(after) : '', to: lastDay }
  }
  return {
    ...lists, used, every_label: saved.every_label ?? false, waiting_longer_minutes: saved.waiting_longer_minutes ?? 10,
    created: span('created'), updated: span('updated'), snoozed: saved.snoozed ?? true,
  }
}

/** The conditions of the chosen fields; a field without a value asks for nothing. Days are the reader's, both included. */
export function conditionsOf(fields: FilterFields, chosen: readonly Field[]): Conditions {
  const wanted: Conditions = {}
  for (const name of LISTS) if (chosen.includes(name) && fields[name].length) wanted[name] = [...fields[name]] as Status[] & Priority[]
  if (wanted.label && wanted.label.length > 1 && fields.every_label) wanted.every_label = true
  if (chosen.includes('waiting_longer_minutes') && fields.waiting_longer_minutes >= 1) wanted.waiting_longer_minutes = Math.round(fields.waiting_longer_minutes)
  if (chosen.includes('unread')) wanted.unread = true
  if (chosen.includes('snoozed')) wanted.snoozed = fields.snoozed
  for (const name of ['created', 'updated'] as const) {
    if (!chosen.includes(name)) continue
    const { by, days, from, to } = fields[name]
    if (by === 'days' && days >= 1) wanted[`${name}_within_days`] = Math.round(days)
    if (by === 'dates' && from) wanted[`${name}_after`] = startOf(from)
    if (by === 'dates' && to) wanted[`${name}_before`] = startOf(to, 1)
  }
  return wanted
}
