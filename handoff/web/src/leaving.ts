// Where a browser may be sent when somebody signs out: to the provider that the service names, and only over https.

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

/** The address if one may go there; plain http only to a provider on this machine, for trying one out. */
export function leavingTo(address: string | null | undefined): string | null {
  if (!address || !URL.canParse(address)) return null
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname)) ? address : null
}
