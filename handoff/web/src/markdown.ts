// Reads the Markdown of articles into plain values; what draws them makes text nodes and checked addresses of it only.
import { safeHref } from './links'

export type Inline = { kind: 'text' | 'strong' | 'em' | 'code'; text: string } | { kind: 'link'; text: string; href: string }
export type MarkdownBlock =
  | { kind: 'heading'; level: number; inlines: Inline[] }
  | { kind: 'text' | 'quote'; inlines: Inline[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Inline[][] }
  | { kind: 'table'; header: Inline[][]; rows: Inline[][][] }
  | { kind: 'code'; text: string }
  | { kind: 'rule' }

const INLINE = /`([^`\n]+)`|\*\*(?=\S)([^*]+?)(?<=\S)\*\*|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?!\w)|\[([^\]\n]+)\]\(([^)\s]+)\)/g
const ITEM = /^\s*(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/
const HEADING = /^(#{1,6})\s+(.*?)\s*#*\s*$/
const ROW = /^\s*\|.*\|\s*$/
const RULE_ROW = /^\s*\|(?:\s*:?-+:?\s*\|)+\s*$/

export function inlines(text: string): Inline[] {
  const found: Inline[] = []
  let end = 0
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) found.push({ kind: 'text', text: text.slice(end, match.index) })
    const [whole, code, strong, em, words, address] = match
    const href = address ? safeHref(address) : null
    if (code !== undefined) found.push({ kind: 'code', text: code })
    else if (strong !== undefined) found.push({ kind: 'strong', text: strong })
    else if (em !== undefined) found.push({ kind: 'em', text: em })
    else if (href && words) found.push({ kind: 'link', text: words, href })
    else found.push({ kind: 'text', text: whole })
    end = match.index + whole.length
  }
  if (end < text.length) found.push({ kind: 'text', text: text.slice(end) })
  return found
}

const cells = (row: string): Inline[][] => row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => inlines(cell.trim()))

export function markdownBlocks(text: string): MarkdownBlock[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  const blocks: MarkdownBlock[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at] ?? ''
    const heading = HEADING.exec(line)
    const item = ITEM.exec(line)
    const fence = /^\s{0,3}(```+|~~~+)/.exec(line)
    if (!line.trim()) at++
    else if (fence) {
      const code: string[] = []
      for (at++; at < lines.length && !(lines[at] ?? '').trim().startsWith(fence[1] ?? '```'); at++) code.push(lines[at] ?? '')
      at++
      blocks.push({ kind: 'code', text: code.join('\n') })
    } else if (heading) {
      blocks.push({ kind: 'heading', level: Math.min((heading[1] ?? '').length, 4), inlines: inlines(heading[2] ?? '') })
      at++
    } else if (/^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      blocks.push({ kind: 'rule' })
      at++
    } else if (ROW.test(line) && RULE_ROW.test(lines[at + 1] ?? '')) {
      const rows: Inline[][][] = []
      const header = cells(line)
      for (at += 2; at < lines.length && ROW.test(lines[at] ?? ''); at++) rows.push(cells(lines[at] ?? ''))
      blocks.push({ kind: 'table', header, rows })
    } else if (item) {
      const ordered = item[2] !== undefined
      const items: string[] = []
      for (; at < lines.length; at++) {
        const next = ITEM.exec(lines[at] ?? '')
        if (next && (next[2] !== undefined) === ordered) items.push(next[3] ?? '')
        else if (!next && (lines[at] ?? '').trim() && items.length) items.push(`${items.pop() ?? ''} ${(lines[at] ?? '').trim()}`)
        else break
      }
      blocks.push({ kind: 'list', ordered, start: Number(item[2] ?? 1), items: items.map(inlines) })
    } else {
      const said: string[] = []
      const quoted = line.trimStart().startsWith('>')
      for (; at < lines.length; at++) {
        const here = lines[at] ?? ''
        const ends = !here.trim() || HEADING.test(here) || ITEM.test(here) || /^\s{0,3}(?:```|~~~)/.test(here) || (ROW.test(here) && RULE_ROW.test(lines[at + 1] ?? ''))
        if (said.length && (ends || here.trimStart().startsWith('>') !== quoted)) break
        said.push(quoted ? here.trimStart().slice(1).trim() : here.trim())
      }
      blocks.push({ kind: quoted ? 'quote' : 'text', inlines: inlines(said.join('\n')) })
    }
  }
  return blocks
}
