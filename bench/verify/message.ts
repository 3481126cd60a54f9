import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Keys } from '../../src/receive/auth/signature.ts'
import { sign, type SigningKey } from '../../src/testing/index.ts'
import { eventBody, eventId } from '../lib/event-body.ts'

/** What comes with a request: the value of the signature header, and the body. */
export interface Message {
  readonly token: string
  readonly body: Buffer
}

export type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'Ed25519'

/** A key as each side holds it: a shared secret's text or a public key in PEM. */
export type Trusted = { readonly secret: string } | { readonly publicKey: string }

/** Verifies one message and returns the parsed body; throws or rejects when it is not to be trusted. */
export type Verify = (message: Message) => unknown

export function keyPair(algorithm: Algorithm): { signing: SigningKey; trusted: Trusted & Keys } {
  const kid = '_H07wVG1fV3l5ih74rNxIC3nevE'
  if (algorithm === 'HS256') {
    const secret = randomBytes(32).toString('base64')
    return { signing: { kid, secret }, trusted: { secret } }
  }
  const { privateKey, publicKey } = pairOf(algorithm)
  return {
    signing: { kid, privateKey },
    trusted: { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
  }
}

/** Enough that no two of them follow each other soon. */
export function messages(signing: SigningKey): readonly Message[] {
  return Array.from({ length: 256 }, (_, n) => {
    const body = Buffer.from(eventBody(eventId(n)))
    return { token: sign(body, signing), body }
  })
}

function pairOf(algorithm: Exclude<Algorithm, 'HS256'>): ReturnType<typeof generateKeyPairSync> {
  switch (algorithm) {
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'Ed25519':
      return generateKeyPairSync('ed25519')
  }
}
