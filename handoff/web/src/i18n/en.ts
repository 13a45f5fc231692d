// Every text of the console in English; `zh.ts` must have exactly the same keys.
import { live } from './live.en'
import { reports } from './reports.en'
import { reviews } from './reviews.en'
import { alerts } from './alerts.en'
import { digests } from './digests.en'
import { organise } from './organise.en'
import { posts } from './posts.en'
import { pages, phrasing, prompts } from './prompts.en'
import { writing, writingPages } from './writing.en'
import { company, teams } from './teams.en'
import { assist, translation } from './assist.en'
import { access, audit } from './access.en'
import { contacts } from './contacts.en'
import { masked } from './masked.en'
import { examples } from './examples.en'
import { ratingCard, ratings } from './ratings.en'
import { channelPage, channels, letters } from './channels.en'
import { limits } from './limits.en'
import { knowledge } from './knowledge.en'
import { mishaps } from './mishaps.en'
import { models } from './models.en'
import { replays } from './replays.en'
import { measuring } from './measuring.en'
import { training } from './training.en'
import { liveModels } from './live_models.en'
import { reasons, rulePage, rules, signals, summary } from './signals.en'

export const en = {
  organise,
  examples,
  pages: { ...pages, live: live.title, reports: reports.title, reviews: reviews.title, alerts: alerts.title, ...rulePage, ...writingPages, ratings: ratings.title, mishaps: mishaps.title, knowledge: knowledge.title, models: models.title, access: access.title, audit: audit.title, examples: examples.title, ...channelPage },
  writing,
  phrasing,
  posts,
  prompts,
  rules,
  signals,
  summary,
  company,
  teams,
  assist,
  access,
  audit,
  ratings,
  mishaps,
  knowledge,
  models,
  replays,
  measuring,
  training,
  liveModels,
  limits,
  live,
  reports,
  reviews,
  alerts,
  digests,
  ratingCard,
  channels,
  letters,
  translation,
  contacts,
  masked,
  app: { name: 'Frontdesk', unreachable: 'The server cannot be reached. Check your connection.', tryAgain: 'Try again', loading: 'Loading…' },
  signIn: {
    title: 'Sign in to the desk', email: 'E-mail', password: 'Password', submit: 'Sign in', demo: 'Demo sign-ins',
    useDemo: 'Sign in as {name}', expired: 'Your session has ended. Sign in to return to where you were.',
    with: 'Sign in with {name}', or: 'or',
    offline: 'The server did not answer. Check your connection and try again.',
  },
  role: { agent: 'Agent', trainer: 'Trainer', supervisor: 'Supervisor', admin: 'Administrator', auditor: 'Auditor' },
  top: {
    language: '中文', toLanguage: 'Switch to Chinese', dark: 'Dark mode', light: 'Light mode', soundOn: 'Sound is on', soundOff: 'Sound is off',
    notify: 'Allow desktop notifications', signOut: 'Sign out', online: 'Online', away: 'Away', presence: 'Your presence',
    presenceHint: 'Away: nothing new is offered to you. Conversations you hold stay with you.', account: 'Account', shortcuts: 'Keyboard shortcuts',
    readOnly: 'Read only',
  },
  shortcuts: {
    title: 'Keyboard shortcuts', move: 'Next / previous conversation', open: 'Open it', search: 'Search', reply: 'Write a reply', note: 'Write a note',
    send: 'Send', newline: 'New line', assist: 'Insert a card of the assist tab', close: 'Close the conversation',
  },
  connection: { offline: 'Connection lost. Reconnecting… Nothing you wrote is lost.', now: 'Reconnect now', live: 'Live', connecting: 'Connecting…' },
  view: { label: 'Views' },
  list: {
    search: 'Search messages, names, order numbers', searchShort: 'Search', results: 'No results for “{q}” | 1 result | {n} results', 
    waiting: 'Nobody is waiting | 1 waiting | {n} waiting', longest: 'longest {time}', more: 'Show more', label: 'Conversations',
    newTurn: 'unread message | unread messages', you: 'You: ', agent: 'Agent: ', bot: 'Bot: ', noMessages: 'No messages yet', waits: 'waiting', failed: 'The list could not be read: {message}',
    emptyTitle: { mine: 'You are all caught up', queued: 'Nobody is waiting', bot: 'The bot has no conversations', all: 'No open conversations', resolved: 'Nothing resolved yet' },
    emptyText: {
      mine: 'Conversations you accept appear here.', queued: 'You will hear and see when somebody asks for a person.',
      bot: 'Live conversations with the bot appear here as they happen.', all: 'New conversations appear here the moment they start.',
      resolved: 'Finished conversations stay here to read.',
    },
    emptySearch: 'Try fewer words, a contact name, or an order number such as KT20260001.',
  },
  status: { bot: 'With the bot', queued: 'Waiting', assigned: 'With {name}', assignedMe: 'With you', resolved: 'Resolved', resolvedIdle: 'Ended, no answer' },
  reason: {
    asked_for_person: 'Asked for a person', two_misses: 'Bot did not know', action_failed: 'Task failed', dialogue_failed: 'Bot failed',
    taken_over: 'Taken over', agent_lost: 'Agent was lost', requeued: 'Back in queue', transferred: 'Passed on by a colleague', other: 'Handoff', ...reasons,
  },
  channel: {
    webchat: 'Web chat', telegram: 'Telegram', rest: 'API', wecom: 'WeCom', wechat: 'WeChat', dingtalk: 'DingTalk', slack: 'Slack', messenger: 'Messenger',
    whatsapp: 'WhatsApp', email: 'E-mail', feishu: 'Feishu', line: 'LINE', mqtt: 'MQTT', webhook: 'Program', sms: 'SMS', other: 'Channel',
  },
  language: { zh: 'Chinese', en: 'English' },
  conversation: {
    none: 'Choose a conversation', noneText: 'Pick one on the left, or press J and K to move and Enter to open.', back: 'Back to the list',
    accept: 'Accept', takeOver: 'Take over', transfer: 'Transfer', requeue: 'Back to queue', release: 'Release to bot', resolve: 'Resolve',
    details: 'Contact and bot trace', hideDetails: 'Hide details',
    notFound: 'This conversation does not exist or has been erased.', failed: 'This conversation could not be read: {message}',
    resolveSure: 'Resolve this conversation? The customer is asked for a rating.', releaseSure: 'Give this conversation back to the bot? It answers from the next message on.',
    requeueTitle: 'Back to the queue', requeueText: 'The customer is told that a colleague will take over. Someone else can accept it.', cancel: 'Cancel', 
    conflict: 'Somebody else was quicker', refused: 'That did not work',
    accepted: 'The conversation is yours.', transferred: 'Transferred to {name}.', requeued: 'Back in the queue.', released: 'The bot is answering again.', resolved: 'Resolved. The customer is asked for a rating.',
    why: {
      readOnly: 'Your role reads conversations but does not answer them.', notYours: '{name} holds this conversation.', resolved: 'This conversation is resolved. The customer’s next message opens a new one.', merged: 'This goes on in another conversation. What the customer writes here is shown there.',
      queuedFirst: 'Accept the conversation first.', botFirst: 'The bot is answering. Take over to reply.', alreadyQueued: 'It is already in the queue.', alreadyBot: 'The bot is already answering.', offered: 'A colleague is being asked to take it. It is free again in a moment.', botSpeaks: 'The bot is answering. A supervisor may take over; otherwise it comes to you through the queue.',
    },
  },
  transfer: {
    title: 'Transfer conversation', to: 'To', note: 'Note for your colleague (the customer does not see it)', notePlaceholder: 'What should they know?', submit: 'Transfer',
    nobody: 'No other agent is at the desk now. Put the conversation back in the queue instead.', holds: 'no conversations | 1 conversation | {n} conversations', online: 'online', away: 'away', offline: 'offline', choose: 'Choose a colleague.',
  },
  transcript: {
    erased: 'Erased',
    label: 'Conversation', bot: 'Bot', you: 'You', note: 'Private note', onlyStaff: 'only staff see this', typing: 'Customer is typing', why: 'Why?', whyLabel: 'Why the bot said this', failedDelivery: 'Not delivered. The channel refused it; the customer has not seen this.',
    sending: 'Sending…', sendFailed: 'Not sent: {message}', sendOffline: 'Not sent: no connection. It is sent again when you are back online.', retry: 'Send again', discard: 'Discard', offered: 'Buttons offered', sources: 'Sources', newMessages: 'New messages', empty: 'No messages yet',
    readFailed: 'The messages could not be read: {message}', image: 'Image {name}', download: 'Download {name}', toBottom: 'Go to the newest message', close: 'Close',
  },
  composer: {
    reply: 'Reply', note: 'Note', replyPlaceholder: 'Write to {name}…', notePlaceholder: 'Private note for your colleagues…', send: 'Send', addNote: 'Add note', attach: 'Attach files', removeFile: 'Remove {name}', uploading: 'Uploading {name}',
    hint: 'Enter to send · Shift+Enter for a new line', tooLarge: '{name} is larger than 10 MB.', uploadFailed: '{name}: {message}', tooLong: '{n} characters too many', mode: 'What to write', 
  },
  contact: {
    tab: 'Contact', trace: 'Bot trace', verified: 'Identity verified', unverified: 'Identity not verified', unverifiedText: 'Do not share order or account details until the customer proves who they are.', 
    phone: 'Phone', email: 'E-mail', language: 'Language', country: 'Country', level: 'Level', points: 'Points', since: 'Since', channel: 'Channel', firstSeen: 'First seen',
    orders: 'Orders', noOrders: 'No orders', crmDown: 'The customer system does not answer; orders and tickets are missing here.', tickets: 'Tickets', noTickets: 'No tickets', past: 'Past conversations', noPast: 'This is their first conversation', rating: 'Rating', noRating: 'Not rated yet', score: '{n} of 5', expected: 'expected {date}', showEvents: 'Shipment history',
    callback: 'Callback promised', pickOne: 'Open a conversation to see who you are talking to.', readPast: 'Open to read', current: 'Back to the conversation',
  },
  level: { standard: 'Standard', silver: 'Silver', gold: 'Gold', black: 'Black' },
  orderStatus: { unpaid: 'Unpaid', paid: 'Paid', packed: 'Packed', shipped: 'Shipped', delivered: 'Delivered', cancelled: 'Cancelled', returned: 'Returned' },
  ticketStatus: { open: 'Open', in_progress: 'In progress', waiting: 'Waiting for customer', resolved: 'Resolved' },
  trace: {
    none: 'The bot has not answered in this conversation.', intro: 'How the bot came to each answer, newest first.', said: 'Customer said', understood: 'Understood as', nothing: 'no intent', ranking: 'Also considered', 
    limits: 'The bot acts at {answer} or more and asks back from {clarify}.', barRetrieval: 'An article is quoted at {p} or more.', verdictAnswer: 'Sure enough to act.', verdictClarify: 'Not sure: between the two limits.', verdictLow: 'Too unsure to act on the intent.', route: 'Then the bot',
    routes: { task: 'worked on a task', smalltalk: 'made small talk', knowledge: 'searched the knowledge base', clarify: 'asked what was meant', handoff: 'handed off to a person' },
    passages: 'Passages found', rules: 'Rules', actions: 'Actions', slots: 'Remembered', timings: 'Time taken', model: 'Model', language: 'Language', ms: '{n} ms', showTurn: 'Show in conversation', cleared: 'cleared', technical: 'Technical details', total: 'total', understand: 'understanding', act: 'acting', call: 'with the way there and back',
  },
  synonyms: {
    title: 'Synonyms and product names', intro: 'Teach the bot the words your customers use. A change works with the next question.', search: 'Search words', add: 'Add', edit: 'Edit', remove: 'Delete', all: 'All', 
    kinds: { synonym: 'Words', product: 'Product names' }, kind: { synonym: 'Word', product: 'Product name' }, kindLabel: 'What is it?', kindFilter: 'Show',
    term: 'Customers say', means: 'It means', meansProduct: 'Product', language: 'Works in', languages: { zh: 'Chinese', en: 'English', both: 'Both languages' }, twoWay: 'Works both ways', twoWayHint: 'The bot then looks for either word when a customer uses the other.',
    termHint: 'As customers write it, for example “postage”', meansHint: 'As your articles write it, for example “delivery charge”', productHint: 'The product’s name in the shop, for example “Sprout V1”',
    addTitle: 'Add a synonym', editTitle: 'Edit synonym', save: 'Save', cancel: 'Cancel', saved: 'Saved. It works from the next question on.', removed: 'Deleted.', removeSure: 'Delete “{term}”? Customers who write it may not be understood any more.', changed: '{who}, {when}', changedTitle: 'Last changed',
    empty: 'No synonyms yet', emptyText: 'Add the first word your customers use for something your articles call differently.', noMatch: 'Nothing matches “{q}”', count: 'no rules | 1 rule | {n} rules', failed: 'The list could not be read: {message}', readOnly: 'Your role can look at synonyms but not change them.',
    test: 'Try a question', testHint: 'See what the bot reads and which articles it finds.', testDraft: 'Try it before you save', question: 'A customer’s question', run: 'Try', reads: 'The bot reads', unchanged: 'No synonym applies: the question stays as it is.', articles: 'Articles found', none: 'No article was found.', isNew: 'new', gone: 'no longer found', up: 'up from {n}', down: 'down from {n}', same: 'unchanged', score: '{p} likely',
    refused: {
      synonym_empty: 'Fill in both fields.', synonym_too_long: 'At most 80 characters in each field.', synonym_too_common: 'This word stands in almost every question, so it cannot mean anything else.', synonym_same: 'Both fields say the same.', synonym_exists: 'There is such a rule already.', synonym_loop: 'This rule and another one lead in a circle. Make the other one work both ways instead.', synonym_clash: 'This name already belongs to another product.', synonym_too_many: 'There are too many rules. Delete some that nobody needs.',
    },
  },
  intent: {
    order_status: 'Order status', change_address: 'Change address', cancel_order: 'Cancel order', return_refund: 'Return or refund', request_invoice: 'Invoice', open_ticket: 'Open a ticket', ticket_status: 'Ticket status', update_contact: 'Update contact details',
    handoff: 'Wants a person', affirm: 'Yes', deny: 'No', stop: 'Stop', thanks: 'Thanks', inform: 'Gives information', greet: 'Greeting', goodbye: 'Goodbye', ask_knowledge: 'Question', clarify: 'Unclear', out_of_scope: 'Out of scope',
    how_are_you: 'How are you', are_you_a_bot: 'Are you a bot', bot_name: 'Asks the name', capabilities: 'What can you do', praise: 'Praise', insult: 'Insult', joke: 'Joke', weather: 'Weather', apology: 'Apology', speak_language: 'Change language', laugh: 'Laugh', hold_on: 'Hold on',
  },
}

export type Texts = typeof en
