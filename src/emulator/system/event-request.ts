import { signer, type SigningAlgorithm } from '../../events/sign.ts'
import type { Key, Webhook } from '../state/tables.ts'
import type { ReadableTables } from '../state/store.ts'

/** One event as it is posted to one webhook. */
export interface EventRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly connectTimeout: number
  /** In ms, from the connection to the last byte of the answer, so that an answer that never ends times out too. */
  readonly readTimeout: number
  /** PEM. If given, the only certificate authority that is trusted for this receiver. */
  readonly certificate?: string | undefined
}

type Sign = (body: string | Uint8Array) => string

/** Cached, because reading a private key takes longer than signing with it. Rows are replaced, never changed, so the row can be the cache's key. */
const signers = new WeakMap<Key, Sign>()

/**
 * The request to a webhook for these bytes, with the webhook's own headers, its credentials and a signature. Basic credentials replace an
 * Authorization header of its own. Created once per event: every attempt carries the same signature.
 */
export function createEventRequest(webhook: Webhook, body: Buffer, rows: ReadableTables): EventRequest {
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
    // The keys API accepts only these.
    ...(algorithm !== undefined && { algorithm: algorithm as SigningAlgorithm }),
  })
  signers.set(key, sign)
  return sign
}

function certificateOf(webhook: Webhook, rows: ReadableTables): string | undefined {
  if (webhook.sslCertificateKeyId === undefined) return webhook.sslCertificate
  return rows.keys.get(webhook.sslCertificateKeyId)?.certificate
}
