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
