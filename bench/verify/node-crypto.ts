import { createHmac, createPublicKey, createSecretKey, hash, timingSafeEqual, verify } from 'node:crypto'
import type { Algorithm, Trusted, Verify } from './message.ts'

/** The least that is correct, written for one key and one algorithm by hand. */
export function withNodeCrypto(algorithm: Algorithm, trusted: Trusted): Verify {
  const holds = signatureCheck(algorithm, trusted)

  return ({ token, body }) => {
    const [head = '', payload = '', signature = '', ...more] = token.split('.')
    if (more.length > 0) throw new Error('not three parts')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString())
    if (header.alg !== algorithm) throw new Error('wrong alg')
    const signed = token.slice(0, head.length + 1 + payload.length)
    if (!holds(signed, Buffer.from(signature, 'base64url'))) throw new Error('wrong signature')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const claimed = Buffer.from(claims.request_body_sha256, 'base64')
    const digest = hash('sha256', body, 'buffer')
    if (claimed.length !== digest.length || !timingSafeEqual(claimed, digest)) throw new Error('wrong body')
    return JSON.parse(body.toString())
  }
}

function signatureCheck(
  algorithm: Algorithm,
  trusted: Trusted,
): (signed: string, signature: Buffer) => boolean {
  if ('secret' in trusted) {
    const key = createSecretKey(Buffer.from(trusted.secret))
    return (signed, signature) => {
      const expected = createHmac('sha256', key).update(signed).digest()
      return signature.length === expected.length && timingSafeEqual(signature, expected)
    }
  }
  const key = createPublicKey(trusted.publicKey)
  const options = { key, dsaEncoding: 'ieee-p1363' } as const
  switch (algorithm) {
    case 'Ed25519':
      return (signed, signature) => verify(null, Buffer.from(signed), key, signature)
    case 'ES256':
      return (signed, signature) => verify('sha256', Buffer.from(signed), options, signature)
    default:
      return (signed, signature) => verify('sha256', Buffer.from(signed), key, signature)
  }
}
