// A rating as it is sent and as the browser remembers it.
import type { RatingAnswer, RatingFrame } from './protocol';

export const NOTHING: RatingAnswer = { score: null, solved: null, nps: null, other_score: null, comment: '' };

export interface RatingState {
  answer: RatingAnswer;
  state: 'sending' | 'done' | 'editing' | 'closed';
}

export function answerOf({ score, solved, nps, other_score, comment, at }: RatingFrame): RatingAnswer {
  return { score, solved, nps, other_score, comment, at };
}

/** What an older widget kept is the score alone. */
export function readAnswer(kept: string): RatingAnswer {
  const found = JSON.parse(kept) as number | RatingAnswer;
  return typeof found === 'number' ? { ...NOTHING, score: found } : { ...NOTHING, ...found };
}
