// Why what is sent regularly was refused or not taken; `posts.zh.ts` has the same keys.
export const posts = {
  refused: {
    changed: 'A colleague saved this meanwhile. Go back and open it again.', not_found: 'It is gone: a colleague deleted it meanwhile.', no_mail_server: 'This desk has no mail server (SMTP_URL). Choose the webhook.', narrowed: 'Digests tell of the whole desk. Ask a supervisor who sees every conversation.',
  },
  badMail: "Check the e-mail addresses: one on each line, like lead{'@'}example.com.",
  inside: 'The address leads into a private network. Give a public one, or ask whoever runs the desk to set PRIVATE_WEBHOOKS.', noTls: 'The address has to begin with https://.', port: 'The port of the address has to be 443 or 8443.', userinfo: 'The address must not hold a user name or password; the signature says who we are.', noUrl: 'This is not a web address. It looks like https://example.com/path.',
  http: 'the other side answered HTTP {code}', silent: 'the other side did not answer', mailCode: 'the mail server answered {code}', mail: 'the mail server could not be reached', noMailServer: 'this desk has no mail server (SMTP_URL)',
}
