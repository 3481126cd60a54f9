import { signer, type SigningAlgorithm } from '../../events/sign.ts'
import type { Key, Webhook } from '../state/rows.ts'
import type { Reading } from '../state/store.ts'
import type { Letter } from './post.ts'

type Sign = (body: string | Uint8Array) => string

/** Reading a private key costs more than signing with it. Keys are replaced, never changed, so the row is the cache's key. */
const signers = new WeakMap<Key, Sign>()

/**
 * What this webhook gets for these bytes: its own headers, its credentials, its signature. Where it has both, basic credentials win over
 * an Authorization header of its own. Made once per event: every attempt carries the same token.
 */
export function letterTo(webhook: Webhook, body: Buffer, rows: Reading): Letter {
  const { httpAuthenticationUsername: username, httpAuthenticationPassword: password } = webhook
  const { enabled, signingKeyId } = webhook.signatureConfiguration
  const key = enabled && signingKeyId !== undefined ? rows.keys.get(signingKeyId) : undefined
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'User-Agent': 'fusewire-emulator',
    ...webhook.headers,
  }
  if (username !== undefined) {
    for (const name of Object.keys(headers)) if (name.toLowerCase() === 'authorization') delete headers[name]
    headers['Authorization'] = `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  }
  if (key !== undefined) headers['X-FusionAuth-Signature-JWT'] = signerOf(key)(body)
  return {
    url: webhook.url,
    headers,
    body,
    connectTimeout: webhook.connectTimeout,
    readTimeout: webhook.readTimeout,
    certificate: certificateOf(webhook, rows),
  }
}

function signerOf(key: Key): Sign {
  const known = signers.get(key)
  if (known !== undefined) return known
  const { kid, secret, privateKey, algorithm } = key
  const sign = signer({
    kid,
    ...(secret !== undefined && { secret }),
    ...(privateKey !== undefined && { privateKey }),
    // The keys API admits only these.
    ...(algorithm !== undefined && { algorithm: algorithm as SigningAlgorithm }),
  })
  signers.set(key, sign)
  return sign
}

function certificateOf(webhook: Webhook, rows: Reading): string | undefined {
  if (webhook.sslCertificateKeyId === undefined) return webhook.sslCertificate
  return rows.keys.get(webhook.sslCertificateKeyId)?.certificate
}
