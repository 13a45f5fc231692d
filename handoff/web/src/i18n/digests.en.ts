export const digests = {
  title: 'Digests', intro: 'Chosen figures of the whole desk, sent regularly by e-mail or to a program. Times are those of {zone}.', introPlain: 'Chosen figures of the whole desk, sent regularly by e-mail or to a program.',
  none: 'There is no digest yet.', add: 'New digest', edit: 'Change', back: 'Back', cancel: 'Cancel', remove: 'Delete', removeSure: 'Delete “{name}”? What is still to be sent of it is not sent.',
  readOnly: 'Digests tell of the whole desk. Only supervisors and admins who see every conversation can change them.',
  noMail: 'This desk has no mail server (SMTP_URL), so digests can only be posted to a webhook.',
  name: 'Name', nameHint: 'For example: Monday meeting', rhythm: 'How often', rhythms: { daily: 'Daily', weekly: 'Weekly', monthly: 'Monthly' },
  of: { daily: 'Of the day before', weekly: 'Of the seven days before', monthly: 'Of the calendar month before' },
  weekday: 'On', monthday: 'On day', clock: 'At', language: 'Language', languages: { zh: '中文', en: 'English' },
  way: 'How', ways: { email: 'E-mail', webhook: 'Webhook' }, addresses: { email: 'To', webhook: 'Address' }, addressHint: { email: 'One e-mail address on each line', webhook: 'https://' },
  secret: 'Signed as Standard Webhooks. Secret:', secretShort: 'the webhook’s secret', figures: 'Figures', active: 'Send it by itself', off: 'Switched off',
  save: 'Save', saved: 'The digest is saved.', preview: 'Preview', previewOf: 'What it would say now', send: 'Send now', handed: 'The digest was sent.', notHanded: 'It was not taken. It is tried again; see below why.',
  next: 'Next: {at}', last: 'Sent last', state: { waiting: 'will be tried again ({n} tries so far)', sent: 'taken', dead: 'given up after {n} tries' },
}
