// What the server has masked in a text. Places count code points, as the server does.
import type { Hidden } from './types'

export interface MaskPiece { text: string; masked: boolean }

/** The masks of a field as they stand in its words, the longest first. */
export function masksIn(text: string, hidden: Hidden | undefined, field: string): string[] {
  const places = hidden?.[field]
  if (!places?.length) return []
  const letters = [...text]
  const found = new Set(places.map(([start, end]) => letters.slice(start, end).join('')).filter((mask) => mask !== ''))
  return [...found].sort((a, b) => b.length - a.length)
}

/** A text, or a part of it, cut at its masks. */
export function maskPieces(text: string, masks: readonly string[]): MaskPiece[] {
  if (masks.length === 0) return [{ text, masked: false }]
  const pattern = new RegExp(`(${masks.map((mask) => mask.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`)
  return text.split(pattern).map((piece, place) => ({ text: piece, masked: place % 2 === 1 })).filter((piece) => piece.text !== '')
}
