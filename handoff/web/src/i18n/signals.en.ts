// How customers feel, why conversations are handed off, and the rules of it, in English; `signals.zh.ts` has the same keys.
export const reasons = {
  angry: 'Upset', low_confidence: 'Bot unsure', loop: 'Going in circles', vip: 'VIP',
}

export const rulePage = { rules: 'Handoff rules' }

export const signals = {
  mood: { negative: 'Unhappy', neutral: 'Neutral', positive: 'Happy', angry: 'Angry or in distress', unknown: 'Sentiment not known' },
  moodOf: 'How the message sounds: {mood}',
  why: {
    asked_for_person: 'The customer asked for a person.',
    two_misses: 'The bot found no answer several times in a row.',
    action_failed: 'What the bot tried to do for the customer did not work.',
    dialogue_failed: 'The bot could not be reached or broke down.',
    taken_over: 'A colleague stepped in while the bot was answering.',
    agent_lost: 'The agent was away too long, so the conversation came back.',
    requeued: 'A colleague put the conversation back in the queue.',
    transferred: 'A colleague passed the conversation on to this team.',
    angry: 'The customer’s message sounded angry or in distress.',
    low_confidence: 'The bot was not sure what the customer meant, several times in a row.',
    loop: 'The customer repeated the same request, or the bot the same answer.',
    vip: 'The customer’s level gets a person.',
    other: 'The conversation was handed to people.',
  },
  detail: {
    anger: '{percent}% sure', failures: '{n} failed attempt | {n} failed attempts', misses: '{n} miss in a row | {n} misses in a row', turns: 'unsure {n} times in a row', byContact: 'asked {n} times', byBot: 'same answer {n} times', tier: 'level: {tier}',
  },
}

export const summary = {
  title: 'Summary', show: 'Show the summary', hide: 'Hide the summary', wants: 'Wants', unknownWish: 'Not clear yet', facts: 'Facts', tried: 'The bot tried', nothing: 'Nothing yet', feeling: 'Mood', reason: 'Why', added: 'Added while waiting', record: 'Open', phrased: 'Phrased by {model}; facts below are from the conversation', earlier: 'before: {reasons}',
  article: 'showed', clarified: 'asked back {n} time | asked back {n} times', missed: 'no answer {n} time | no answer {n} times', files: '{n} file | {n} files', goTo: 'Show this message',
  outcome: { done: 'done', failed: 'failed', stopped: 'stopped by the customer', unfinished: 'not finished' },
  trend: { worse: 'getting worse', better: 'getting better', steady: 'steady' },
  order: 'Order', ticket: 'Ticket', course: 'From the first to the last message',
  detail: {
    order_number: 'Order', ticket_number: 'Ticket', invoice_number: 'Invoice', tracking_number: 'Tracking', product: 'Product', order_item: 'Item', return_reason: 'Reason for return', problem: 'Problem', new_address: 'New address', invoice_kind: 'Kind of invoice', invoice_title: 'Invoice title', amount: 'Amount', date: 'Date', contact_field: 'To change', contact_value: 'New value', phone: 'Phone', email: 'E-mail',
  },
}

export const rules = {
  title: 'Handoff rules', intro: 'When the bot gives a conversation to people. A change is in force within seconds and noted in the audit trail.', readOnly: 'When the bot gives a conversation to people. Supervisors and admins can change this.',
  always: 'Always on', alwaysText: 'A customer who asks for a person gets one at once, and so does one whose bot has failed. This cannot be switched off.',
  enabled: 'On', off: 'Off', version: 'Version {n} · {name} · {at}', box: 'As it comes with the product', note: 'What changed and why', notePlaceholder: 'For your colleagues', save: 'Save', saved: 'Saved as version {n}. It is in force now.', undo: 'Undo my changes', reset: 'Product defaults', failed: 'The rules could not be read: {message}', notSaved: 'Not saved: {message}', changed: 'Not saved yet',
  reason: {
    angry: { name: 'Angry or distressed message', text: 'Each message is read for its mood, in Chinese and English. If it sounds angry, desperate or threatening, the customer gets a few kind words instead of a standard answer, and a person.' },
    action_failed: { name: 'A task failed', text: 'Cancelling, returning, changing an address and so on did not go through. The first time the bot offers to try again.' },
    two_misses: { name: 'No answer found', text: 'Nothing in the knowledge base answers well enough. Before that the bot asks the customer to choose or to say it differently.' },
    loop: { name: 'Going in circles', text: 'The customer asks the same thing again and again, or the bot says the same thing again and again.' },
    low_confidence: { name: 'Bot is unsure', text: 'The bot had to guess what the customer meant in several messages in a row.' },
    vip: { name: 'VIP customers', text: 'Customers of certain levels get a person at the first sign of trouble, or with their first message. They are handed over once per conversation.' },
  },
  threshold: { angry: 'How sure it must be', low_confidence: 'Unsure below' },
  thresholdHint: { angry: 'Lower hands off more.', low_confidence: 'Higher hands off more.' },
  count: { angry: 'Angry messages', action_failed: 'Failures', two_misses: 'In a row', loop: 'Times', low_confidence: 'In a row' },
  tiers: 'Customer levels', tiersHint: 'Names, separated by commas', atOnce: 'With the first message', atTrouble: 'At the first sign of trouble', when: 'When',
  exceptions: 'Different for', addException: 'Add an exception', removeException: 'Remove this exception', language: 'Language', channel: 'Channel', any: 'any', anyLanguage: 'Any language', anyChannel: 'Any channel', channelPlaceholder: 'e.g. telegram', needsPlace: 'Choose a language or a channel.',
  preview: 'What would this have done?', previewText: 'In the last {days} days these rules would have handed off {handed} of {total} conversations ({percent}%).', previewNone: 'There were no conversations in the last {days} days.', previewRun: 'Try on the last {days} days', previewRunning: 'Counting…', previewCapped: 'Only the latest {total} conversations were counted.', previewFailed: 'The preview failed: {message}', previewHint: 'Counted from stored messages and bot traces; nothing is changed.',
  history: 'Versions',
}
