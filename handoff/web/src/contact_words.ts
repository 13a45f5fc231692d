// What the server refused about a contact, in the console's language and naming the field.
import { ApiError } from './api'

interface Words { t: (key: string, values?: Record<string, unknown>) => string; te: (key: string) => boolean }

export function refusedWords(error: unknown, { t, te }: Words): string {
  if (!(error instanceof ApiError) || error.offline) return t('app.unreachable')
  const named = `contacts.invalid.${error.detail}`
  if (error.code === 'invalid_field' && te(named)) return t(named)
  const taken = `contacts.inUse.${error.detail}`
  if (error.code === 'contact_in_use' && te(taken)) return t(taken)
  const known = `contacts.error.${error.code}`
  return te(known) ? t(known) : error.message
}

/** The refusals after which somebody else's newer value is on the screen. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'contact_changed' || error.code === 'changed_meanwhile')
}

/** Where a ticket can go from each status, as `crm/rules.py` decides. */
export const TICKET_MOVES: Record<string, readonly string[]> = {
  open: ['in_progress', 'waiting', 'resolved'],
  in_progress: ['open', 'waiting', 'resolved'],
  waiting: ['open', 'in_progress', 'resolved'],
  resolved: ['open', 'in_progress'],
}

export interface TicketLine { at: string; author: string; text: string; event: { field: string; old: string; new: string } | null }

/** Comments and changes of a ticket in one order, oldest first. */
export function ticketLines(ticket: { comments?: { author: string; text: string; at: string }[]; events?: { author: string; field: string; old: string; new: string; at: string }[] }): TicketLine[] {
  const said = (ticket.comments ?? []).map((one) => ({ at: one.at, author: one.author, text: one.text, event: null }))
  const changed = (ticket.events ?? []).map((one) => ({ at: one.at, author: one.author, text: '', event: { field: one.field, old: one.old, new: one.new } }))
  return [...changed, ...said].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}
