// A snippet cut at its marks. Marks count code points, as the server does, not the units of a JavaScript string.
export interface MarkedPiece { text: string; hit: boolean }

export function markedPieces(snippet: string, marks: readonly (readonly [number, number])[]): MarkedPiece[] {
  const characters = [...snippet]
  const pieces: MarkedPiece[] = []
  let at = 0
  const add = (end: number, hit: boolean) => {
    if (end > at) pieces.push({ text: characters.slice(at, end).join(''), hit })
    at = Math.max(at, end)
  }
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    add(Math.min(start, characters.length), false)
    add(Math.min(end, characters.length), true)
  }
  add(characters.length, false)
  return pieces
}

const MENTION = /@\[([^[\]\n]{1,120})\]\(([0-9a-f]{32})\)/g

/** A note with `@[Name](staff id)` as "@Name". */
export function withNames(note: string): string {
  return note.replace(MENTION, '@$1')
}
