// What customers thought, in English; `ratings.zh.ts` has the same keys.
export const ratings = {
  title: 'Ratings', intro: 'What customers thought of people and of the bot, each by itself. Figures of fewer than five answers stay hidden.', introOwn: 'What customers thought of the conversations you served. Figures of fewer than five answers stay hidden.',
  weeks: '{n} weeks', period: 'Period', filters: 'Limit to', all: { team: 'All teams', agent: 'All agents', channel: 'All channels', language: 'Both languages', intent: 'All topics' }, clear: 'Clear filters',
  kinds: { human: 'People', bot: 'Bot' }, by: { team: 'Team', agent: 'Agent', channel: 'Channel', language: 'Language', intent: 'Topic' }, languages: { zh: 'Chinese', en: 'English' }, unknown: 'Not known',
  csat: 'Satisfied', csatHint: 'Share of scores 4 and 5, with the 95% interval', mean: 'Average', meanOf: 'out of {n}', interval: '{low}–{high}', response: 'Answered', responseOf: '{answers} of {asked} asked', nps: 'Net promoter score', npsOf: '{promoters} promoters, {passives} neutral, {detractors} critics',
  resolution: 'Was it solved?', verified: 'Solved, says the customer', refuted: 'Not solved, says the customer', assumed: 'Solved, we assume', resolutionHint: 'These are never added up: what is assumed nobody has confirmed.',
  distribution: 'Scores', stars: '{n} stars: {count}', trend: 'Satisfied, by week', trendHint: 'The bar is the share, the line the 95% interval; weeks with fewer than five answers are empty.', week: 'Week of {day}', breakdown: 'Compared by', group: 'Group', asked: 'Asked', answers: 'Answers',
  few: 'fewer than 5 answers', protects: 'hidden to protect a small group', comments: 'Comments', more: 'Show all {n}', noComments: 'Nobody has written anything in this period.', open: 'Open', solved: 'solved', notSolved: 'not solved', anonymous: 'Name hidden',
  nothing: 'No ratings yet', nothingText: 'Customers are asked when a conversation is resolved. Their answers appear here.', tooFew: 'Too few answers to show', tooFewText: '{asked} customers were asked; figures appear from five answers on.',
  exportFigures: 'Figures (CSV)', exportComments: 'Comments (CSV)', failed: 'The report could not be read: {message}',
}
export const ratingCard = { bot: 'Bot', solved: 'Solved', notSolved: 'Not solved', silently: 'Resolve without asking', silentDone: 'Resolved. The customer is not asked.' }
