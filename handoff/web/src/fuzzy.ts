// Finds things by a few letters: words in any order, beginnings before middles, initials and letters left out last.

const SPLIT = /[\s_\-/·.,:;，。：；]+/

export function plain(text: string): string {
  return text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
}

/** How well one typed word fits one text: 0 is not at all, 100 is its beginning. */
function fit(word: string, text: string): number {
  const at = text.indexOf(word)
  if (at === 0) return word.length === text.length ? 110 : 100
  if (at > 0) return SPLIT.test(text[at - 1] ?? '') ? 80 : 60
  if (!/^[a-z0-9]+$/.test(word) || word.length < 2) return 0
  const initials = text.split(SPLIT).map((part) => part[0] ?? '').join('')
  if (initials.startsWith(word)) return 50
  return text.length <= 60 ? leavingOut(word, text) : 0
}

/** A subsequence that begins a word, better the fewer letters lie between. */
function leavingOut(word: string, text: string): number {
  let at = -1
  let first = -1
  for (const letter of word) {
    at = text.indexOf(letter, at + 1)
    if (at < 0) return 0
    if (first < 0) first = at
  }
  if (first > 0 && !SPLIT.test(text[first - 1] ?? '')) return 0
  const gaps = at - first + 1 - word.length
  return gaps > word.length * 2 ? 0 : 30 - Math.min(25, gaps)
}

/** How well a query fits something with these texts, the most telling first; 0 when a word of it fits nowhere. */
export function score(query: string, texts: readonly string[]): number {
  const words = plain(query).trim().split(/\s+/).filter(Boolean)
  if (!words.length) return 1
  const plains = texts.map(plain)
  let sum = 0
  for (const word of words) {
    const best = Math.max(...plains.map((text, place) => fit(word, text) * (1 - Math.min(place, 5) * 0.08)))
    if (best <= 0) return 0
    sum += best
  }
  return sum / words.length
}

/** What fits, best first; equals keep their order. */
export function found<T>(query: string, things: readonly T[], textsOf: (thing: T) => readonly string[], limit = Infinity): T[] {
  return things
    .map((thing, place) => ({ thing, place, points: score(query, textsOf(thing)) }))
    .filter((one) => one.points > 0)
    .sort((a, b) => b.points - a.points || a.place - b.place)
    .slice(0, limit)
    .map((one) => one.thing)
}
