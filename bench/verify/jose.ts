import { createPublicKey, createSecretKey, hash } from 'node:crypto'
import { compactVerify } from 'jose'
import type { Algorithm, Trusted, Verify } from './message.ts'

/** The library most people would take, and what it leaves to do. */
export function withJose(algorithm: Algorithm, trusted: Trusted): Verify {
  const key =
    'secret' in trusted ? createSecretKey(Buffer.from(trusted.secret)) : createPublicKey(trusted.publicKey)
  const algorithms = [algorithm]

  return async ({ token, body }) => {
    const { payload } = await compactVerify(token, key, { algorithms })
    const claims = JSON.parse(new TextDecoder().decode(payload))
    if (claims.request_body_sha256 !== hash('sha256', body, 'base64')) throw new Error('wrong body')
    return JSON.parse(body.toString())
  }
}
