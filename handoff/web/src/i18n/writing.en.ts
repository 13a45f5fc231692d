// Canned replies, macros, recall, read marks, the command bar and alerts, in English.
export const writing = {
  cancel: 'Cancel', save: 'Save', edit: 'Edit', remove: 'Delete', add: 'Add', all: 'All', mine: 'Mine', shared: 'Shared', sharedWith: 'For everybody', onlyMe: 'Only for me', saved: 'Saved.', removed: 'Deleted.', used: 'never used | used once | used {n} times', changed: 'changed by {who}, {when}',
  titleZh: 'Title in Chinese', titleEn: 'Title in English', textZh: 'Text in Chinese', textEn: 'Text in English', whose: 'Who may use it', failed: 'The list could not be read: {message}',
  canned: {
    title: 'Canned replies', intro: 'Type / in the message box to insert one. The customer’s language decides which text is used.', search: 'Search canned replies', shortcut: 'Shortcut', shortcutHint: 'Typed after /, for example “refund”', empty: 'No canned replies yet', emptyText: 'Write down what you say often; every agent may keep their own.', noMatch: 'Nothing matches “{q}”',
    addTitle: 'New canned reply', editTitle: 'Edit canned reply', removeSure: 'Delete /{shortcut}? Macros that use it will stop there.', variables: 'Insert a variable', variablesHint: "Filled in when the reply is inserted. With words after {'|'} they stand in where nothing is known: {example}", missing: 'not written', fallsBack: 'The other language is used where one is empty.',
    export: 'Export CSV', import: 'Import CSV', importDone: '{added} added, {changed} changed, {unchanged} as before.', importProblems: 'Nothing was imported. Correct these lines and try again:', line: 'Line {n}', importShared: 'Import for everybody', importMine: 'Import for me',
    pick: 'Canned replies', pickNone: 'No canned reply matches “{q}”', pickHint: '↑↓ choose · Enter insert · Esc close', insert: 'Insert a canned reply', unfilled: 'Still to fill in: {names}', unfilledHint: 'Fill it in before you send.', gone: 'This canned reply could not be inserted: {message}',
    refused: { canned_shortcut: 'The shortcut needs 1 to 32 letters, digits, - or _, without spaces.', canned_title: 'Give it a title in at least one language.', canned_text: 'Write the text in at least one language.', canned_too_long: 'A title has at most 80 characters, a text at most 4000.', canned_exists: 'There is a canned reply with the shortcut /{detail} already.', canned_variable: 'There is no variable “{detail}”.', canned_file: 'This line cannot be read as CSV.', canned_header: 'The first line must name the columns: shortcut, title_zh, title_en, text_zh, text_en.', canned_too_many: 'A file may have at most 2000 canned replies.', canned_twice: 'The shortcut {detail} is in the file twice.', canned_empty: 'The file has no canned replies.' },
  },
  variable: {
    contact_name: 'customer’s name', contact_first_name: 'customer’s first name', agent_name: 'your name', team_name: 'team', order_number: 'order number', order_status: 'order status', order_product: 'product', ticket_number: 'ticket number', ticket_status: 'ticket status', date_today: 'today', date_tomorrow: 'tomorrow',
  },
  macros: {
    title: 'Macros', search: 'Search macros', intro: 'Several steps in one click. You see what will happen before it does.', empty: 'No macros yet', emptyText: 'Put together steps you often take one after the other.', addTitle: 'New macro', editTitle: 'Edit macro', removeSure: 'Delete “{title}”?', steps: 'Steps', addStep: 'Add a step', chooseStep: 'Choose a step…', up: 'Move up', down: 'Move down', removeStep: 'Remove step {n}', stepLabel: 'Step {n}',
    verb: { accept: 'Accept it myself', reply: 'Reply', note: 'Write a note', transfer: 'Transfer to', requeue: 'Back to queue', release: 'Release to bot', resolve: 'Resolve' },
    field: { canned_id: 'Canned reply', text: 'Text', note: 'Note for colleagues', to_agent_id: 'Colleague' }, own: 'Own text…', choose: 'Choose…', both: 'Either a canned reply or a text of your own.',
    run: 'Run', runTitle: 'Run “{title}”?', running: 'Running…', preview: 'This will happen, in this order:', cannot: 'Nothing is known for {names}. Insert the reply by hand and fill it in.', done: '“{title}” is done.', stopped: 'Stopped at step {n} ({verb}): {message}', ran: 'Done before that: {steps}', ranNone: 'No step was done before that.', gone: 'deleted canned reply', refused: { macro_count: 'A macro needs 1 to 20 steps.', macro_unknown: 'Step {n}: this desk has no such step.', macro_step: 'Step {n} is not complete.', macro_after: 'Step {n} cannot come there: after the step before it the conversation is no longer yours.', macro_reply: 'Step {n}: choose a canned reply or write a text.', macro_not_shared: 'Step {n}: a shared macro can only use shared canned replies.', macro_nobody: 'Step {n}: choose a colleague.', macro_variable: 'Step {n} uses a variable that does not exist.', macro_title: 'Give it a title in at least one language.' }, open: 'Run a macro', pick: 'Macros',
  },
  recall: {
    act: 'Take back', hint: 'The customer no longer sees it', sure: 'Take this message back?', done: 'Taken back. The customer no longer sees it.', cancelled: 'Taken back before it was sent. The customer never saw it.', by: 'Taken back by {name}, {time}', onlyStaff: 'only staff still see it', again: 'Edit again', refused: 'Not taken back: {message}',
  },
  read: { read: 'Read', readAt: 'Read {time}', sent: 'Sent' },
  collision: {
    reply: '{names} is writing a reply… | {names} are writing replies…', note: '{names} is writing a note… | {names} are writing notes…', viewing: '{names} is also viewing | {names} are also viewing', answered: '{name} answered after you began to write.', ask: '{name} answered {ago} ago. Send yours anyway?', askTitle: 'A colleague was quicker', send: 'Send anyway', keep: 'Read it first',
  },
  mention: { pick: 'Mention a colleague', none: 'Nobody here is called “{q}”' },
  files: { cancel: 'Cancel upload of {name}', progress: '{name}, {p} uploaded', failed: '{name} was not uploaded: {message}', retry: 'Try again', drop: 'Drop files here to attach them', tooMany: 'At most {n} files in one message.', notInNotes: 'Files can be attached to replies, not to notes.' },
  bar: {
    open: 'Command bar', placeholder: 'Do something, or find a conversation, customer or page…', label: 'Command bar', none: 'Nothing matches “{q}”', searching: 'Searching…', count: 'no results | 1 result | {n} results', hint: '↑↓ choose · Enter run · Esc close',
    group: { conversation: 'This conversation', write: 'Write', go: 'Go to', desk: 'Desk', macros: 'Macros', canned: 'Canned replies', conversations: 'Conversations', contacts: 'Customers' },
  },
  action: {
    accept: 'Accept', takeOver: 'Take over', transfer: 'Transfer…', requeue: 'Back to queue…', release: 'Release to bot', resolve: 'Resolve', reply: 'Write a reply', note: 'Write a note', canned: 'Insert a canned reply', macro: 'Run a macro…', details: 'Show or hide details', next: 'Next conversation', previous: 'Previous conversation', unread: 'Next unread conversation', search: 'Search conversations', close: 'Close the conversation', bar: 'Command bar', shortcuts: 'Keyboard shortcuts', alerts: 'Notifications and sound', presence: 'Go away / come back', language: 'Switch language', theme: 'Light or dark', mine: 'Mine', queued: 'Waiting', bot: 'With the bot', all: 'All open', resolved: 'Resolved', openIt: 'Open it', send: 'Send', newline: 'New line', slash: 'Canned replies, while writing', at: 'Mention a colleague, in a note', tab: 'Next gap to fill in',
  },
  words: { accept: 'take', transfer: 'assign hand over', requeue: 'give back', release: 'bot', resolve: 'close finish done', reply: 'answer', note: 'private', canned: 'template snippet', macro: 'automation', details: 'info contact panel', alerts: 'bell sound desktop', presence: 'online away break', theme: 'dark light', language: 'chinese 中文', shortcuts: 'keys help' },
  error: {
    not_yours: 'Only whoever wrote it can take it back.', too_late: 'The time for that is over. Write a correction instead.', already_delivered: 'The channel has delivered it already and cannot take it back. Write a correction instead.', answered_meanwhile: 'a colleague has answered meanwhile. Read it, then send yours anyway or discard it.', unfilled_variables: 'a variable is not filled in yet.', canned_gone: 'Its canned reply was deleted. Edit the macro.', not_assigned: 'The conversation is not yours.', not_at_the_desk: 'The colleague is not at the desk.', internal: 'Something failed on our side and was logged.',
  },
  shortcutGroup: { conversation: 'This conversation', write: 'While writing', go: 'Go to', desk: 'Everywhere' }, then: 'then',
  alerts: {
    title: 'Notifications and sound', intro: 'Choose what reaches you while you look elsewhere. Nothing disturbs you while you are away.', notification: 'Notification', sound: 'Sound', event: 'When', kind: { waiting: 'A customer starts to wait', assigned: 'A conversation is handed to me', reply: 'A customer answers me', mention: 'A colleague mentions me' },
    permission: { granted: 'Your browser shows notifications.', default: 'Your browser has not been asked yet.', denied: 'Your browser blocks notifications for this page. Allow them in the address bar.' }, allow: 'Allow notifications', test: 'Test', testTitle: 'This is how it looks', testText: 'And this is how it sounds.', soundOff: 'Sound is off for all of them.', soundOn: 'Play sounds', close: 'Done',
    offer: 'Would you like a notification when a customer waits or answers while you look elsewhere?', yes: 'Yes, notify me', later: 'Not now',
    say: { waiting: 'A customer is waiting', assigned: 'A conversation was handed to you', reply: '{name} answered', mention: '{name} mentioned you' },
  },
}

export const writingPages = { canned: 'Canned', macros: 'Macros' }
