// Times, durations, money and names as people read them, in either language.
import type { Conversation } from './types'
import type { Language } from './stores/preferences'

const locale = (language: Language) => (language === 'zh' ? 'zh-CN' : 'en-GB')
const formats = new Map<string, Intl.DateTimeFormat>()

function dateFormat(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  let format = formats.get(key)
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale(language), options)))
  return format
}

export function clockTime(iso: string, language: Language): string {
  return dateFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(iso))
}

export function fullTime(iso: string, language: Language): string {
  return dateFormat(language, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' }).format(new Date(iso))
}

/** Where the desk is, wherever its reader sits. */
export function deskTime(iso: string, language: Language, zone: string): string {
  return dateFormat(language, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23', timeZone: zone || undefined }).format(new Date(iso))
}

export function shortDate(iso: string, language: Language): string {
  const thisYear = new Date(iso).getFullYear() === new Date().getFullYear()
  return dateFormat(language, { day: 'numeric', month: 'short', ...(thisYear ? {} : { year: 'numeric' }) }).format(new Date(iso))
}

/** Several names in a row, with the comma of the language. */
export function listed(names: readonly string[], language: Language): string {
  return names.join(language === 'zh' ? '、' : ', ')
}

/** A title and what it is about, with the colon of the language. */
export function titled(title: string, text: string, language: Language): string {
  return `${title}${language === 'zh' ? '：' : ': '}${text}`
}

/** The calendar day in the reader's time zone, for grouping. */
export function dayKey(iso: string): string {
  const date = new Date(iso)
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`
}

export function dayTitle(iso: string, language: Language, now: number): string {
  const today = new Date(now)
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1)
  if (dayKey(iso) === dayKey(today.toISOString())) return language === 'zh' ? '今天' : 'Today'
  if (dayKey(iso) === dayKey(yesterday.toISOString())) return language === 'zh' ? '昨天' : 'Yesterday'
  const thisYear = new Date(iso).getFullYear() === today.getFullYear()
  return dateFormat(language, { weekday: 'short', day: 'numeric', month: 'long', ...(thisYear ? {} : { year: 'numeric' }) }).format(new Date(iso))
}

/** "0:07", "12:40", "1:05:09", "3 d 4 h": how long somebody has waited. */
export function duration(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  if (days > 0) return language === 'zh' ? `${days} 天 ${hours} 小时` : `${days} d ${hours} h`
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** "now", "5 min", "3 h", then the date. */
export function ago(iso: string, language: Language, now: number): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000)
  if (minutes < 1) return language === 'zh' ? '刚刚' : 'now'
  if (minutes < 60) return language === 'zh' ? `${minutes} 分钟` : `${minutes} min`
  if (minutes < 24 * 60) return language === 'zh' ? `${Math.floor(minutes / 60)} 小时` : `${Math.floor(minutes / 60)} h`
  return shortDate(iso, language)
}

export function money(smallestUnits: number, currency: string, language: Language): string {
  return new Intl.NumberFormat(locale(language), { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).format(smallestUnits / 100)
}

export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}

/** The contact's name, or a short stable name such as "Visitor 4F2A". */
export function contactName(conversation: Pick<Conversation, 'contact_name' | 'contact_id'>, language: Language): string {
  const name = conversation.contact_name?.trim()
  if (name) return name
  return `${language === 'zh' ? '访客' : 'Visitor'} ${conversation.contact_id.slice(0, 4).toUpperCase()}`
}

/** One or two letters for an avatar: 陈雨 → 陈, Sam Rivera → SR, Chen Yu 陈雨 → CY. */
export function initials(name: string): string {
  const letters = name.trim().split(/\s+/).map((word) => [...word][0] ?? '?')
  const latin = letters.filter((letter) => !/[\u3400-\u9fff]/.test(letter))
  if (latin.length === 0 || /[\u3400-\u9fff]/.test(letters[0] ?? '')) return letters[0] ?? '?'
  return ((latin[0] ?? '?') + (latin.length > 1 ? (latin[latin.length - 1] ?? '') : '')).toUpperCase()
}

/** The badge letters of a contact: their initials, or the first two characters of a visitor's short name. */
export function contactInitials(conversation: Pick<Conversation, 'contact_name' | 'contact_id'>): string {
  const name = conversation.contact_name?.trim()
  return name ? initials(name) : conversation.contact_id.slice(0, 2).toUpperCase()
}

/** A stable number 0–7 for an avatar's colour. */
export function tint(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 997
  return sum % 8
}
