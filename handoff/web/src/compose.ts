// What stands in the message box: gaps still to fill in, the word that asks for a list, and names that become mentions.

const GAP = /\{\{\s*([A-Za-z_]+\.[A-Za-z_.]+)\s*(?:\|[^{}|]*)?\}\}/g

export interface Gap { name: string; start: number; end: number }

/** Variables nobody has filled in; `known` are those the server knows, other braces are the agent's own words. */
export function gapsIn(text: string, known: ReadonlySet<string>): Gap[] {
  return [...text.matchAll(GAP)].flatMap((match) => {
    const name = match[1] ?? ''
    return known.has(name) ? [{ name, start: match.index, end: match.index + match[0].length }] : []
  })
}

/** The first gap after a place, or the first of all. */
export function nextGap(gaps: readonly Gap[], after: number): Gap | null {
  return gaps.find((gap) => gap.start >= after) ?? gaps[0] ?? null
}

export interface Asked { kind: 'canned' | 'mention'; start: number; end: number; query: string }

/** Whether the word before the cursor asks for canned replies (`/refund`) or colleagues (`@li`). */
export function askedFor(text: string, cursor: number, mode: 'reply' | 'note'): Asked | null {
  const before = text.slice(0, cursor)
  if (mode === 'reply') {
    const slash = /(?:^|\s)\/([^\s/]{0,30})$/.exec(before)
    return slash ? { kind: 'canned', start: cursor - (slash[1] ?? '').length - 1, end: cursor, query: slash[1] ?? '' } : null
  }
  const at = /(?:^|[^A-Za-z0-9._])@([^\s@]{0,20})$/.exec(before)
  return at ? { kind: 'mention', start: cursor - (at[1] ?? '').length - 1, end: cursor, query: at[1] ?? '' } : null
}

export interface Person { id: string; name: string }

/** The note as it is stored: `@Lin Wei` becomes `@[Lin Wei](id)` for everybody who is known; `picked` decides between namesakes. */
export function withMentions(text: string, people: readonly Person[], picked: ReadonlyMap<string, string> = new Map()): string {
  const names = [...new Set(people.map((one) => one.name))].filter(Boolean).sort((a, b) => b.length - a.length)
  if (!names.length) return text
  const any = new RegExp(`@(${names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})(?![\\w])`, 'g')
  return text.replace(any, (whole, name: string) => {
    const id = picked.get(name) ?? people.find((one) => one.name === name)?.id
    return id ? `@[${name.replace(/[[\]]/g, '')}](${id})` : whole
  })
}

export type NotePiece = { kind: 'text'; text: string } | { kind: 'mention'; name: string; id: string }

/** A stored note as it is shown. */
export function splitMentions(text: string): NotePiece[] {
  const pieces: NotePiece[] = []
  let last = 0
  for (const match of text.matchAll(/@\[([^[\]]{1,200})\]\(([0-9a-f]{32})\)/g)) {
    if (match.index > last) pieces.push({ kind: 'text', text: text.slice(last, match.index) })
    pieces.push({ kind: 'mention', name: match[1] ?? '', id: match[2] ?? '' })
    last = match.index + match[0].length
  }
  if (last < text.length) pieces.push({ kind: 'text', text: text.slice(last) })
  return pieces
}

/** A text to choose by: variables as the words for what will stand there. */
export function inWords(text: string, nameOf: (variable: string) => string): string {
  return text.replace(GAP, (_, name: string) => `[${nameOf(name)}]`)
}

/** The name of a variable as a key of the texts. */
export function variableKey(name: string): string {
  return `writing.variable.${name.replace('.', '_')}`
}
