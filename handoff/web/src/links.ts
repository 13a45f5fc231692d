// Finds links in what people wrote. Customers write these texts, so only harmless addresses become links.

export interface Piece { text: string; href: string | null }

const ALLOWED = new Set(['http:', 'https:', 'mailto:', 'tel:'])
const LINK = /\b(?:https?:\/\/|mailto:|tel:)[^\s<>"'`，。！？；：、（）「」《》【】\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/gi

/** The address if a link may lead there, else null; relative addresses are our own pages. */
export function safeHref(address: string, base = window.location.origin): string | null {
  if (address === '') return null
  try {
    return ALLOWED.has(new URL(address, base).protocol) ? address : null
  } catch {
    return null
  }
}

/** The article page of a passage, whose id is `article/language/anchor`. */
export function passageHref(passageId: string): string | null {
  const [article, language, anchor, ...rest] = passageId.split('/')
  if (!article || !language || !anchor || rest.length) return null
  return `/kb/${encodeURIComponent(language)}/${encodeURIComponent(article)}#${encodeURIComponent(anchor)}`
}

export type Block = { kind: 'text'; text: string } | { kind: 'table'; header: string[]; rows: string[][] }

const ROW = /^\s*\|.*\|\s*$/
const RULE = /^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/
const cells = (row: string): string[] => row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim())

/** The text and its Markdown tables, in order. */
export function splitTables(text: string): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  let plain: string[] = []
  const flush = (): void => {
    const said = plain.join('\n')
    if (said) blocks.push({ kind: 'text', text: said })
    plain = []
  }
  for (let at = 0; at < lines.length; ) {
    if (!ROW.test(lines[at] ?? '') || !RULE.test(lines[at + 1] ?? '')) {
      plain.push(lines[at++] ?? '')
      continue
    }
    while (plain.at(-1) === '') plain.pop()
    flush()
    const header = cells(lines[at] ?? '')
    const rows: string[][] = []
    for (at += 2; at < lines.length && ROW.test(lines[at] ?? ''); at++) rows.push(cells(lines[at] ?? ''))
    blocks.push({ kind: 'table', header, rows })
  }
  flush()
  return blocks
}

export function splitLinks(text: string, base?: string): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of text.matchAll(LINK)) {
    const found = match[0].replace(/[.,!?;:)\]}]+$/, '')
    const href = safeHref(found, base)
    if (!href) continue
    if (match.index > end) pieces.push({ text: text.slice(end, match.index), href: null })
    pieces.push({ text: found, href })
    end = match.index + found.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), href: null })
  return pieces
}
