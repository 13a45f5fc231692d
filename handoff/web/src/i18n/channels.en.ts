// The page of channel accounts and of what they could not deliver; `channels.zh.ts` has the same keys.
export const channelPage = { channels: 'Channels' }

export const channels = {
  title: 'Channels', intro: 'Where customers reach you, and whether each way works right now.', tabs: 'Parts of this page', tabAccounts: 'Accounts', tabUndelivered: 'Undelivered',
  failed: 'Channels could not be read: {message}', stale: 'Not up to date: {message}',
  status: { failing: 'Failing', refusing: 'Refusing requests', connecting: 'Connecting', connected: 'Connected', receiving: 'Receiving', ready: 'Ready', waiting: 'Nothing received yet' },
  received: 'Last received', sent: 'Last sent', checked: 'Last proved', never: 'never', ago: '{time} ago', justNow: 'just now',
  error: 'Last error', errorsInHour: '1 in the last hour | {n} in the last hour', refusal: 'Requests refused', connection: 'Its own connection', held: { connecting: 'being opened', connected: 'open', broken: 'broken; it is tried again' },
  overcome: 'It has worked again since.',
  advice: {
    addresses: 'Add this server’s public address to the list of trusted addresses at the vendor.', window: 'The customer has to write first; the vendor no longer lets anybody answer.', clock: 'Compare the server’s clock with the real time (NTP), or wait for fresh requests.',
    secret: 'The secret in channels.yml is not the one at the vendor, or somebody else is knocking. Copy it again and restart.', signIn: 'User or password is wrong. Mail providers often want an app password.', token: 'The access token or secret does not fit. Make a new one at the vendor, put it into .env and restart.',
    twice: 'A second program uses the same token. Stop it, or give each its own.', network: 'The server does not reach the vendor. Check its network, proxy and the host name.', vendor: 'The vendor has trouble. Messages are tried again by themselves.', contact: 'This one customer cannot be reached, for example because they blocked you. The account itself is fine.',
    unknown: 'No answer came in time, so the message may have arrived.', unreadable: 'Something came that does not look as the vendor documents it. If it repeats, report it.', crashed: 'Something failed on our side; the log says more.', wait: 'Too many messages at once; wait a moment.', inside: 'The address leads into a private network, where the desk does not go. Give it a public address in channels.yml, or set allow_private_addresses there if it is meant.', gone: 'The account is no longer in channels.yml. Put it back, or discard what was meant for it.', rejected: 'The vendor refused it. Compare its words with the set-up guide.',
  },
  address: 'Webhook address', addressAutomatic: 'The desk registers it by itself at each start.', copy: 'Copy', copied: 'Copied.', copyFailed: 'It could not be copied; select it and copy it by hand.', copyWhat: 'Copy {what}',
  privateAddress: 'The vendor cannot reach this address: it needs https and a public name. Set PUBLIC_URL.',
  atVendor: 'What to enter at the vendor', page: 'Open the vendor’s page', where: 'Where', enter: 'Also enter', events: 'Events to tick', guide: 'Guide: {file}', settingOf: '{field} = {setting} in channels.yml',
  hint: { webchat: 'Runs on your own pages; messages appear there as soon as they are written.', rest: 'Programs call {url} with a key from REST_API_KEYS.' },
  check: 'Check', checkHint: 'Asks the vendor whether our credentials are right. Nobody gets a message.', checkOk: 'The vendor knows us: {who}', checkOkPlain: 'The credentials are right.',
  test: 'Send me a test', testTitle: 'A test message by {name}', testIntro: 'It is sent at once and belongs to no conversation.', to: 'To', toHint: 'For example {example}', recent: 'Recent contacts', noRecent: 'Nobody has written to this account yet.', text: 'Text', testText: 'This is a test message from the service desk. You need not answer it.', send: 'Send', close: 'Close',
  testOk: 'Sent. Look whether it has arrived.', testFailed: 'It was not sent.',
  outcome: { unreachable: 'The recipient cannot be reached.', forbidden_address: 'Nothing was sent.', rejected: 'The vendor refused it.', unavailable: 'The vendor did not answer.', unknown: 'It may have arrived: no answer came.', rate_limited: 'The vendor asks to wait for {n} s.', unreadable: 'The vendor’s answer could not be read.', crashed: 'Something failed on our side.' },
  vendorSays: 'In detail: {detail}', tooMany: 'This account was tried often just now. Wait {n} seconds.',
  adminsOnly: 'Administrators can check accounts and send test messages.',
  add: 'Add a channel', addIntro: 'Copy the entry into channels.yml, put the values into .env, and restart the desk.', addAnother: 'another account', entry: 'Entry for channels.yml', variables: 'Variables for .env',
  about: {
    telegram: 'A bot; private chats and groups', wechat: 'An official account (公众号)', wecom: 'An app for members of your company', dingtalk: 'A robot of your organisation', slack: 'An app in your workspace', whatsapp: 'A number of the Cloud API', messenger: 'A Facebook page', email: 'A mailbox by IMAP and SMTP', mqtt: 'Devices on a broker of yours', webhook: 'A program of yours, signed both ways',
  },
}

export const letters = {
  intro: 'Messages that were given up after several attempts, or of which nobody knows whether they arrived.', none: 'Everything was delivered', noneText: 'What cannot be delivered appears here.', noMatch: 'Nothing undelivered fits',
  account: 'Account', allAccounts: 'All accounts', state: 'State', allStates: 'All states', states: { dead: 'Not delivered', unknown: 'Perhaps delivered' },
  contact: 'Contact', message: 'Message', error: 'Error', tries: '1 attempt | {n} attempts', age: 'Written', files: '1 file | {n} files', select: 'Select the message to {name}', selectAll: 'Select all shown', selected: '{n} selected', actions: 'Actions',
  open: 'Open conversation', replay: 'Try again', discard: 'Discard', replaySelected: 'Try {n} again', discardSelected: 'Discard {n}', replayAll: 'Try again | Try all {n} again', discardAll: 'Discard | Discard all {n}',
  replayTitle: 'Try again?', replaySure: 'The message is sent once more. | {n} messages are sent once more, each customer’s in their order.', twice: 'One of them may have arrived already and then arrives twice. | {n} of them may have arrived already and then arrive twice.', twiceOne: 'It may have arrived already, and then arrives twice.',
  discardTitle: 'Discard?', discardSure: 'The message is never sent; the conversation goes on saying that it was not delivered. Why? | {n} messages are never sent; the conversations go on saying that they were not delivered. Why?', reason: 'Reason, for the audit trail', reasonNeeded: 'Say why, in a few words.',
  cancel: 'Cancel', replayed: 'Nothing was left to send. | One message is on its way again. | {n} messages are on their way again.', discarded: 'Nothing was left to discard. | One message was discarded. | {n} messages were discarded.', working: '{n} done…', notDone: 'That did not work: {message}',
  more: 'Show more', refresh: 'Read again', failed: 'The list could not be read: {message}',
}
