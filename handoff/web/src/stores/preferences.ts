// What this browser remembers: language, theme, sound. Nothing about customers is ever kept here.
import { reactive, watch } from 'vue'

export type Language = 'zh' | 'en'
export const ALERTS = ['waiting', 'assigned', 'reply', 'mention'] as const
export type Alert = (typeof ALERTS)[number]
export type AlertChoice = { desktop: boolean; sound: boolean }
export interface Preferences { language: Language; dark: boolean; sound: boolean; alerts: Record<Alert, AlertChoice>; alertsOffered: boolean }

const KEY = 'frontdesk-console'

function stored(): Partial<Preferences> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

const saved = stored()

/** Everything is told until somebody says otherwise. */
function choices(kept: unknown): Record<Alert, AlertChoice> {
  const known = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Record<Alert, Partial<AlertChoice>>>
  const of = (kind: Alert): AlertChoice => ({ desktop: known[kind]?.desktop !== false, sound: known[kind]?.sound !== false })
  return { waiting: of('waiting'), assigned: of('assigned'), reply: of('reply'), mention: of('mention') }
}

export const preferences: Preferences = reactive({
  language: saved.language === 'zh' || saved.language === 'en' ? saved.language : navigator.language.startsWith('zh') ? 'zh' : 'en',
  dark: typeof saved.dark === 'boolean' ? saved.dark : window.matchMedia('(prefers-color-scheme: dark)').matches,
  sound: saved.sound === true,
  alerts: choices(saved.alerts),
  alertsOffered: saved.alertsOffered === true,
})

watch(
  preferences,
  (now) => {
    document.documentElement.lang = now.language === 'zh' ? 'zh-CN' : 'en'
    document.documentElement.classList.toggle('dark', now.dark)
    try {
      localStorage.setItem(KEY, JSON.stringify(now))
    } catch {
      // Private windows may refuse; the choice then lasts until the page is closed.
    }
  },
  { immediate: true, deep: true },
)
