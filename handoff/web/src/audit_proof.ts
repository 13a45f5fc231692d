// Recomputes a proof in the browser: the server shows its texts, and what they hash to is found out here.
import type { AuditProof } from './types'

export const GENESIS = '0'.repeat(64)
export type Signature = 'fits' | 'wrong' | 'unknown'
export interface Recomputed { hash: string; entryFits: boolean; leads: boolean | null; signature: Signature }

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16))
const plain = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))

/** SHA-256 over a zero, the hash before, and the text. */
export async function chainHash(previous: string, canonical: string): Promise<string> {
  const text = new TextEncoder().encode(canonical)
  const whole = new Uint8Array(33 + text.length)
  whole.set(bytes(previous), 1)
  whole.set(text, 33)
  return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', whole)), (one) => one.toString(16).padStart(2, '0')).join('')
}

export async function recompute(proof: AuditProof): Promise<Recomputed> {
  const hash = proof.previous.length === 64 ? await chainHash(proof.previous, proof.canonical) : ''
  const { checkpoint } = proof
  if (!checkpoint) return { hash, entryFits: hash === proof.hash, leads: null, signature: 'unknown' }
  let last = hash
  let n = proof.n
  for (const step of proof.path) {
    if (step.n !== n + 1 || !last) return { hash, entryFits: hash === proof.hash, leads: false, signature: await signatureOf(proof) }
    last = await chainHash(last, step.canonical)
    n = step.n
  }
  return { hash, entryFits: hash === proof.hash, leads: checkpoint.leads === null ? null : n === checkpoint.n && last === checkpoint.hash, signature: await signatureOf(proof) }
}

async function signatureOf({ public_key, checkpoint }: AuditProof): Promise<Signature> {
  if (!public_key || !checkpoint) return 'unknown'
  try {
    const said = JSON.parse(checkpoint.signed_text) as { n: number; hash: string }
    if (said.n !== checkpoint.n || said.hash !== checkpoint.hash) return 'wrong'
    const key = await crypto.subtle.importKey('raw', plain(public_key), { name: 'Ed25519' }, false, ['verify'])
    return (await crypto.subtle.verify({ name: 'Ed25519' }, key, plain(checkpoint.signature), new TextEncoder().encode(checkpoint.signed_text))) ? 'fits' : 'wrong'
  } catch {
    return 'unknown' // an older browser without Ed25519, or a page that is not served over https
  }
}
