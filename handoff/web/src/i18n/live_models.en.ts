// What serves: going live, comparing, going back.
export const liveModels = {
  failed: 'What serves could not be read: {message}',
  now: 'Live now', sinceBy: 'since {time}, by {name}', sinceTrained: 'since {time}, trained by hand', none: 'No bot has said yet which model it serves.',
  running: 'Running conversations', runningNone: 'No conversation is running.', runningOn: '{n} on {model}',
  stay: 'Each conversation stays on the model it began with until it ends.',
  rollback: 'Back to {model}', choose: 'Another version', chooseHint: 'Choose a version', promote: 'Put live…', compare: 'Compare…', stop: 'End comparison…', share: 'Share of new conversations',
  noOthers: 'There is no other version yet. Train one first.', missing: 'not on every bot', previous: 'live before',
  comparison: 'Comparison', comparing: '{share} % of new conversations begin on {model}, since {time}.',
  counts: '{n} conversations, {running} of them running', metric: 'Figure', live: 'Live', candidate: 'Candidate', difference: 'Difference',
  metrics: { containment: 'Solved without people', handoffs: 'Handed to people', rating: 'Mean rating', satisfied: 'Rated 4 or 5', missed: 'With a message the bot could not answer', turns: 'Answers per conversation' },
  verdicts: { better: 'better', worse: 'worse', close: 'no difference that matters', too_few: 'not enough yet' },
  more: 'not enough yet: about {n} more conversations to see a difference of {size}', sizes: { share: '5 points', rating: '0.2 stars', turns: 'half an answer' },
  of: 'of {n}', nothing: 'nothing yet', reasons: 'Why conversations were handed to people',
  method: 'Ranges are 95 % intervals. Counted are conversations that began since the comparison did. Looking often and stopping at the first good figure makes chance look like success: decide when enough have come.',
  bots: 'Bots', botServes: 'serves {model}', botLoaded: 'loaded: {models}', botAway: 'does not answer: {problem}',
  history: 'What was changed', byHand: 'trained by hand', noReplay: 'without a replay',
  changes: {
    promote: '{name} put {live} live', compare: '{name} began to compare {candidate} on {share} %', stop: '{name} ended the comparison with {candidate}', rollback: '{name} went back to {live}', found: '{live} was found in service',
  },
  sure: {
    promote: 'Put {model} live?', compare: 'Compare {model} with what is live?', stop: 'End the comparison?', rollback: 'Go back to {model}?',
    promoteText: 'Every bot loads it first. Then new conversations begin on it.', compareText: 'Every bot loads it first. Then {share} % of new conversations begin on it.', stopText: 'New conversations begin on {model} only. Those on the candidate stay there until they end.', rollbackText: 'New conversations begin on it again. A comparison that is running ends.',
    running: 'These running conversations stay where they are:', note: 'Note (for the history)', why: 'Why without a replay?', whyHint: 'At least a sentence; it goes into the audit trail.',
    unproved: 'This version has not been replayed on real conversations.', anyway: 'Put it live without a replay', working: 'Bots are loading it…', cancel: 'Cancel',
    yes: { promote: 'Put live', compare: 'Compare', stop: 'End comparison', rollback: 'Go back' },
  },
  done: { promote: '{model} is live.', compare: 'The comparison runs.', stop: 'The comparison has ended.', rollback: '{model} is live again.' },
  refused: {
    changed: '{name} was quicker. This is what serves now.', changedByOthers: 'It was changed meanwhile. This is what serves now.', no_model: 'A bot does not have this version: {message}', bot_failed: 'Nothing was changed: {message}', blocked: 'The replay did not pass, so it cannot go live: {message}', reason_needed: 'Say in a sentence why it goes live without a replay.', live_already: 'This version is live already.', nothing_before: 'No other version was live before.', no_comparison: 'No comparison is running any more.', no_bot: 'No bot answers. Try again in a moment.',
  },
}
