// The bot's examples as the staff API tells them, and what the page works out from them.
import { BASE, get, post } from './api'

export type Language = 'zh' | 'en'
export const KINDS = ['conflict', 'duplicate', 'near', 'bot', 'crossed', 'mistaken', 'held_out'] as const
export type NoteKind = (typeof KINDS)[number]
export interface Note { kind: NoteKind; score: number; language?: Language; intent?: string; text?: string; file?: string }
export interface Mark { start: number; end: number; entity: string; value: string }
export interface Example { language: Language; intent: string; text: string; plain: string; entities: Mark[]; notes: Note[] }
export interface IntentWarning { kind: 'few' | 'too_few' | 'lopsided' | 'dominant'; language: Language; count: number }
export interface MadeIntent { name: string; title_zh: string; title_en: string; does: 'knowledge' | 'reply' | 'handoff'; reply_zh: string; reply_en: string }
export interface IntentRow { name: string; made?: MadeIntent | null; counts: Record<Language, number>; trained: boolean; notes: Partial<Record<NoteKind, number>>; warnings: IntentWarning[] }
export interface EntityType { name: string; title: Record<Language, string> }
export interface Overview {
  intents: IntentRow[]
  total: number
  fewest?: number
  notes: Record<NoteKind, number>
  problems: { file: string; line: number; reason: string }[]
  checked: boolean
  progress: { what: '' | 'encoding' | 'comparing'; done: number; total: number; failed: string }
  bot: { running: boolean; done: number; total: number; asked: number; failed: string }
  entity_types: EntityType[]
  product_names: string[]
  trained_at: string | null
  untrained: number | null
}
export type Change =
  | { do: 'add'; language: Language; intent: string; text: string }
  | { do: 'remove'; language: Language; intent: string; text: string }
  | { do: 'reword'; language: Language; intent: string; before: string; after: string }
  | { do: 'move'; language: Language; before: string; after: string; text: string }
export type IntentChange =
  | { do: 'new_intent'; made: MadeIntent }
  | { do: 'drop_intent'; made: MadeIntent }
  | { do: 'revise_intent'; before: MadeIntent; after: MadeIntent }
export type AnyChange = Change | IntentChange
export interface Edit { id: string; at: string; by: string; by_id: string; why: string; changes: AnyChange[]; count: number; undoes: string | null; undone_by: string | null }
export interface SheetLine { line: number; language: string; intent: string; text: string; state: string; message: string }
export interface SheetReport { counts: Record<string, number>; lines: SheetLine[]; total: number; edit: Edit | null }
export interface Wanted { intent: string | null; language: Language | null; q: string; kind: NoteKind | null }

const query = (values: Record<string, string | number | null | undefined>): string =>
  new URLSearchParams(Object.entries(values).flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [[name, String(value)]]))).toString()

export const exampleApi = {
  overview: () => get<Overview>('examples/overview'),
  list: (wanted: Wanted, offset: number, limit: number) => get<{ total: number; examples: Example[] }>(`examples?${query({ ...wanted, offset, limit })}`),
  edit: (changes: AnyChange[], why = '') => post<{ edit: Edit }>('examples', { changes, why }),
  history: (intent: string | null, before: string | null) => get<{ edits: Edit[]; more: boolean }>(`examples/history?${query({ intent, before })}`),
  undo: (id: string) => post<{ edit: Edit }>(`examples/history/${encodeURIComponent(id)}/undo`),
  ask: (intent: string | null, language: Language | null) => post<void>('examples/ask', { intent, language }),
  stopAsking: () => post<void>('examples/ask/stop'),
  takeIn: (file: File, language: Language | null, apply: boolean, why: string) => {
    const form = new FormData()
    if (language) form.append('language', language)
    form.append('apply', String(apply))
    form.append('why', why)
    form.append('file', file, file.name)
    return post<SheetReport>('examples/import', form)
  },
  file: (form: 'csv' | 'yaml', intent: string | null, language: Language | null) => `${BASE}examples/export?${query({ form, intent, language })}`,
}

/** The lines that somebody pasted, each once, without list marks. */
export function pastedLines(text: string): string[] {
  return [...new Set(text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).map((line) => line.trim().replace(/^[-•*]\s+/, '').trim()).filter(Boolean))]
}

/** What the language of a text looks like: Chinese as soon as one character is. */
export const languageOf = (text: string): Language => (/\p{Script=Han}/u.test(text) ? 'zh' : 'en')

export interface Piece { text: string; mark: Mark | null }

/** The plain text cut at its entities; places count characters, not halves of them. */
export function pieces(example: Pick<Example, 'plain' | 'entities'>): Piece[] {
  const letters = [...example.plain]
  const found: Piece[] = []
  let end = 0
  const add = (from: number, to: number, mark: Mark | null): void => {
    if (to > from) found.push({ text: letters.slice(from, to).join(''), mark })
  }
  for (const mark of [...example.entities].sort((one, other) => one.start - other.start)) {
    if (mark.start < end) continue
    add(end, mark.start, null)
    add(mark.start, mark.end, mark)
    end = mark.end
  }
  add(end, letters.length, null)
  return found
}

/** The text as its file has it, with these entities. */
export function written(plain: string, marks: Mark[]): string {
  return pieces({ plain, entities: marks })
    .map(({ text, mark }) => {
      if (!mark) return text
      const value = mark.value && mark.value !== text ? `, "value": ${JSON.stringify(mark.value)}` : ''
      return `[${text}]{"entity": ${JSON.stringify(mark.entity)}${value}}`
    })
    .join('')
}

/** A form for an intent that there is not yet. */
export const blankIntent = (name = ''): MadeIntent => ({ name, title_zh: '', title_en: '', does: 'knowledge', reply_zh: '', reply_en: '' })

/** Whether the form of an intent can be sent. */
export function isWhole(made: MadeIntent): boolean {
  const wanted = [made.name, made.title_zh, made.title_en, ...(made.does === 'reply' ? [made.reply_zh, made.reply_en] : [])]
  return wanted.every((one) => one.trim() !== '')
}

export const isOfIntent = (change: AnyChange): change is IntentChange => change.do === 'new_intent' || change.do === 'drop_intent' || change.do === 'revise_intent'
