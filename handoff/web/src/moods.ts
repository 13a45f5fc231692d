// Sentiment as the console speaks of it: one of four moods, each with its own face, never colour alone.
export type Mood = 'angry' | 'negative' | 'neutral' | 'positive'

const ANGRY = 0.5

/** null: not known. */
export function moodOf(label: string | null | undefined, anger?: number | null): Mood | null {
  if (label !== 'negative' && label !== 'neutral' && label !== 'positive') return null
  return label === 'negative' && (anger ?? 0) >= ANGRY ? 'angry' : label
}
