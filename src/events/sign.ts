import { createHash, createHmac, createPrivateKey, sign as signWith, type KeyObject } from 'node:crypto'
import { FusewireError } from '../model/errors.ts'

/** The header FusionAuth signs with, since 1.48.0. */
export const signatureHeader = 'x-fusionauth-signature-jwt'

/**
 * A key as FusionAuth's Key Master holds it: an HMAC secret (its UTF-8 bytes are the key) or a PEM private key.
 * The default algorithm follows from the key: HS256, RS256, the ES of its curve, Ed25519.
 */
export interface SigningKey {
  /** The id of the key, for the token's header. Default: none. */
  readonly kid?: string
  /** An HMAC secret; its UTF-8 bytes are the key. */
  readonly secret?: string
  /** A private key: PEM, or as `node:crypto` reads it. */
  readonly privateKey?: string | KeyObject
  /** Default: HS256 for a secret, RS256, the ES of the key's curve, Ed25519. */
  readonly algorithm?: SigningAlgorithm
}

/** The algorithms FusionAuth signs webhooks with. */
export type SigningAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'Ed25519'

/**
 * The value of `X-FusionAuth-Signature-JWT` for these body bytes: a JWT whose one claim is the body's SHA-256.
 *
 * @throws FW_KEY without a key, or with one of a kind that FusionAuth does not sign with.
 * @example
 * const body = JSON.stringify({ event: sample('user.create') })
 * const headers = { 'x-fusionauth-signature-jwt': sign(body, { kid: 'test', secret: 'for this test alone, 32 bytes...' }) }
 */
export function sign(body: string | Uint8Array, key: SigningKey): string {
  return signer(key)(body)
}

/** A `sign` that reads its key once. */
export function signer(key: SigningKey): (body: string | Uint8Array) => string {
  const { algorithm, signature } = reading(key)
  const header = base64url(
    JSON.stringify({ alg: algorithm, ...(key.kid !== undefined && { kid: key.kid }), typ: 'JWT' }),
  )
  return (body) => {
    const digest = createHash('sha256').update(body).digest('base64')
    const signed = `${header}.${base64url(JSON.stringify({ request_body_sha256: digest }))}`
    return `${signed}.${signature(signed).toString('base64url')}`
  }
}

function reading(key: SigningKey): { algorithm: SigningAlgorithm; signature: (signed: string) => Buffer } {
  if (key.secret !== undefined) {
    const { secret, algorithm = 'HS256' } = key
    return {
      algorithm,
      signature: (signed) =>
        createHmac(`sha${algorithm.slice(2)}`, secret)
          .update(signed)
          .digest(),
    }
  }
  if (key.privateKey === undefined) {
    throw new FusewireError('FW_KEY', 'A signing key needs a secret or a privateKey.')
  }
  const privateKey = typeof key.privateKey === 'string' ? createPrivateKey(key.privateKey) : key.privateKey
  const algorithm = key.algorithm ?? usual(privateKey)
  const hash = algorithm === 'Ed25519' ? null : `sha${algorithm.slice(2)}`
  return {
    algorithm,
    signature: (signed) =>
      signWith(hash, Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
}

function usual(key: KeyObject): SigningAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519'
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return 'ES256'
    case 'secp384r1':
      return 'ES384'
    case 'secp521r1':
      return 'ES512'
    default:
      throw new FusewireError(
        'FW_KEY',
        'FusionAuth signs with RSA, P-256, P-384, P-521 and Ed25519 keys only.',
      )
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
