// The texts of views, search, labels, priority, snoozing, bulk actions and merging in English; `organise.zh.ts` must have exactly the same keys.
export const organise = {
  view: {
    mine: 'Mine', queued: 'Unassigned', team: 'My teams', bot: 'Bot', all: 'All open', snoozed: 'Snoozed', mentions: 'Mentions', resolved: 'Resolved',
    groups: { work: 'My work', desk: 'The desk', filters: 'Saved filters' }, count: '{n} conversation | {n} conversations', unseen: '{n} new mention | {n} new mentions',
  },
  sort: { label: 'Sort', serving: 'Next in line', newest: 'Latest activity', oldest: 'Oldest activity', waiting: 'Waiting longest', priority: 'Priority', opened: 'Newest conversation' },
  empty: {
    team: ['Nothing for your teams', 'Conversations handed to one of your teams appear here.'],
    snoozed: ['Nothing is snoozed', 'Put a conversation aside and it waits here until its time comes or the customer writes.'],
    mentions: ['Nobody has mentioned you', 'Notes in which a colleague writes @ and your name appear here.'],
    filter: ['Nothing fits this filter', 'Conversations appear here as soon as they fit. Edit the filter to see more.'],
  },
  filter: {
    add: 'New filter', edit: 'Edit filter', addTitle: 'Save a filter', editTitle: 'Edit filter', name: 'Name', namePlaceholder: 'For example: urgent and unanswered', shared: 'Share with everybody at the desk', sharedBy: 'Shared by {name}', onlyYou: 'Only you see it', conditions: 'Show conversations where', addCondition: 'Add a condition', choose: 'Choose a condition…', removeCondition: 'Remove condition: {name}', none: 'Add at least one condition.',
    save: 'Save', cancel: 'Cancel', remove: 'Delete', removeSure: 'Delete the filter “{name}”?', saved: 'Filter saved.', removed: 'Filter deleted.', up: 'Move up in the list', down: 'Move down in the list', fits: 'Nothing fits now | 1 conversation fits now | {n} conversations fit now', fitsMany: '{n} or more fit now', counting: 'Counting…', outdated: 'Needs editing',
    field: {
      status: 'Status', channel: 'Channel', language: 'Language', label: 'Label', priority: 'Priority', team: 'Team', agent: 'Agent', waiting_longer_minutes: 'Waiting longer than', sentiment: 'Sentiment', handoff_reason: 'Handoff reason', tier: 'Customer level', created: 'Started', updated: 'Last activity', unread: 'Unread', snoozed: 'Snoozed',
    },
    me: 'Me', nobody: 'Nobody', noTeam: 'No team', everyLabel: 'all of these', minutes: 'minutes', unreadYes: 'has messages I have not read', snoozedYes: 'is snoozed', snoozedNo: 'is not snoozed', within: 'in the last … days', between: 'between two dates', days: 'days', from: 'from', to: 'to', sentiments: { negative: 'Negative', neutral: 'Neutral', positive: 'Positive' }, tiers: { standard: 'Standard', silver: 'Silver', gold: 'Gold', vip: 'VIP', black: 'Black' }, noLabels: 'There are no labels yet.',
  },
  label: {
    add: 'Label', change: 'Labels', search: 'Find or create a label', create: 'Create “{title}”', none: 'No label fits.', noneYet: 'There are no labels yet. Type a name to create the first one.', closed: 'Ask a supervisor for new labels.', remove: 'Remove label {title}', manage: 'Manage labels', manageTitle: 'Labels', title: 'Title', colour: 'Colour', archive: 'Archive', restore: 'Restore', archived: 'archived', save: 'Save', close: 'Close', intro: 'An archived label stays on old conversations and is not offered any more.',
    colours: { grey: 'Grey', red: 'Red', orange: 'Orange', yellow: 'Yellow', green: 'Green', teal: 'Teal', blue: 'Blue', indigo: 'Indigo', purple: 'Purple', pink: 'Pink' },
  },
  priority: { label: 'Priority', none: 'No priority', low: 'Low', normal: 'Normal', high: 'High', urgent: 'Urgent' },
  snooze: {
    do: 'Snooze', title: 'Snooze until', hours: 'In 3 hours', tomorrow: 'Tomorrow, {time}', monday: 'Monday, {time}', custom: 'Another time', until: 'Date and time', reason: 'Why? (optional)', reasonPlaceholder: 'For example: waiting for the courier', submit: 'Snooze', past: 'Choose a time to come.', wake: 'Wake up now', hint: 'It comes back then, or as soon as the customer writes.', done: 'Snoozed until {time}.', woken: 'It is back in the list.', chip: 'Until {time}', back: 'Back', backTitle: 'Snoozed and back', notYours: 'Only whoever holds it may snooze it.', askPerson: 'Only conversations with people can be snoozed.',
    cameBack: 'A snoozed conversation is back',
  },
  mention: { chip: 'Mentioned', you: '{name} mentioned you' },
  bulk: {
    select: 'Select conversation of {name}', start: 'Select several', selected: '{n} selected | {n} selected', all: 'Select all shown', clear: 'Clear selection', assign: 'Assign to me', resolve: 'Resolve', resolveSure: 'Resolve {n} conversation? The customer is asked for a rating. | Resolve {n} conversations? Each customer is asked for a rating.', done: 'Done for {n} conversation. | Done for {n} conversations.', partly: '{done} done, {failed} not', failures: 'Not done', close: 'Close', region: 'Several conversations',
  },
  search: {
    title: 'Search', open: 'Search everything', placeholder: 'Messages, names, phone, e-mail, order or ticket numbers', from: 'From', anyone: 'anyone', contact: 'customers', bot: 'the bot', agent: 'agents', note: 'notes', channel: 'Channel', anyChannel: 'any', since: 'After', until: 'Before', messages: 'Messages', people: 'People and numbers', hits: 'No message fits | 1 message | {n} messages', hitsMany: 'the {n} newest that fit', more: 'Show more', start: 'Search every conversation', startText: 'Any part of a Chinese word finds it; English words are found by their beginning and in other forms. Press ↓ to walk through what is found.', nothing: 'Nothing found for “{q}”', nothingText: 'Try fewer or shorter words, or take the filters away.', failed: 'The search failed: {message}', crmDown: 'The customer system does not answer; order and ticket numbers may be missing.', close: 'Close search', clear: 'Clear filters', customer: 'Customer', authors: { contact: 'Customer', bot: 'Bot', agent: 'Agent', system: 'System' },
  },
  merge: {
    do: 'Merge', title: 'Merge duplicate conversations', intro: 'The conversation you choose goes on in this one. Its messages are shown here in order; its customer is told once where the answer comes.', likely: 'Probably the same customer', none: 'No likely duplicates', noneText: 'Conversations of the same customer, phone, e-mail or name show up here. To merge another one, open it and merge from there.', why: { customer: 'same customer', contact: 'same contact', address: 'same phone or e-mail', name: 'same name, check it is the same person' }, direction: 'What goes where', into: 'Into this conversation', outOf: 'This one into the other', submit: 'Merge', cancel: 'Cancel', sure: 'I have checked that both are the same person.', done: 'Merged. You can undo this for 30 minutes.', loading: 'Looking for duplicates…', mustBeOpen: 'The conversation that goes on must be waiting or with an agent.',
    joined: 'Joined by {name}', origin: 'from {channel}', undo: 'Separate again', undoSure: 'Separate the two conversations again?', undone: 'Separated again.', goesOn: 'This conversation goes on in another one.', openTarget: 'Open it', thread: 'Includes {n} merged conversation | Includes {n} merged conversations', status: 'Merged', failed: 'Could not be read: {message}',
  },
}
