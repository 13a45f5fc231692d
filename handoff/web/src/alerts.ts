// Alerts as the server sends them, and what one of them says in words.
import { get, post } from './api'

export const KINDS = ['intent', 'misses', 'negative', 'handoffs', 'failed_actions', 'sign_ins'] as const
export type AlertKind = (typeof KINDS)[number]
export type AlertState = 'open' | 'acknowledged' | 'closed'
export const SENSITIVITIES = ['low', 'normal', 'high'] as const
export interface Contribution { dimension: string; value: string; now: number; usual: number }
/** A window of time in which it stands out, with its figures. */
export interface AlertWindow { span: 'hour' | 'day'; since: string; until: string; part: number; whole: number; usual: number; windows: number }
export interface AlertNews {
  id: string; kind: AlertKind; key: string; span: 'hour' | 'day'; state: AlertState
  part: number; whole: number; usual: number; windows: number
  stands_out: AlertWindow[] //: the shortest first; the figures above are its
  report: string | null //: the address of what rose among the reports
  contributions: Contribution[]; expected: boolean; by_name: string | null; note: string
  since: string; opened_at: string; updated_at: string; closed_at: string | null; acknowledged_at: string | null
}
export interface Alert extends AlertNews { examples: string[] }
export interface AlertRules {
  revision: number; quiet_from: string; quiet_until: string; webhook: string
  kinds: Record<AlertKind, { on: boolean; sensitivity: (typeof SENSITIVITIES)[number] }>
}
export interface AlertPost { id: string; about_id: string; state: 'waiting' | 'sent' | 'dead'; attempts: number; error: string | null; created_at: string; due_at: string; sent_at: string | null }

export const alertApi = {
  list: (state: AlertState | 'all') => get<{ alerts: Alert[]; counts: Partial<Record<AlertState, number>> }>(`alerts?state=${state}`),
  rules: () => get<{ rules: AlertRules; secret: string | null; posts: AlertPost[] }>('alerts/rules'),
  saveRules: (rules: AlertRules) => post<{ rules: AlertRules }>('alerts/rules', { ...rules, based_on: rules.revision }),
  look: () => post<{ changed: number }>('alerts/look'),
  acknowledge: (id: string, note: string, expected: boolean) => post<{ alert: AlertNews }>(`alerts/${encodeURIComponent(id)}/acknowledge`, { note, expected }),
}
