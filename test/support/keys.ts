import {
  createHash,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  sign as signWith,
} from 'node:crypto'

export const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
} satisfies Record<string, KeyPairKeyObjectResult>

export const secret = 'a-shared-secret-of-64-bytes-that-nobody-may-see-0123456789abcdef'

export const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
export const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Every algorithm we accept, with the key FusionAuth would sign with and the one we verify with. */
export const algorithms = {
  HS256: secret,
  HS384: secret,
  HS512: secret,
  RS256: pairs.rsa,
  RS384: pairs.rsa,
  RS512: pairs.rsa,
  ES256: pairs.p256,
  ES384: pairs.p384,
  ES512: pairs.p521,
  Ed25519: pairs.ed25519,
  EdDSA: pairs.ed25519,
} as const
export type Algorithm = keyof typeof algorithms

export const base64url = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')
export const digestOf = (body: string | Uint8Array): string =>
  createHash('sha256').update(body).digest('base64')

/** A signature as the algorithm's name has it, over whatever is to be signed. */
export function signatureOf(alg: Algorithm, signed: string): Buffer {
  const key = algorithms[alg]
  if (typeof key === 'string')
    return createHmac(`sha${alg.slice(2)}`, key)
      .update(signed)
      .digest()
  const hash = key === pairs.ed25519 ? null : `sha${alg.slice(2)}`
  return signWith(hash, Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
}

/**
 * A token with any header and payload, signed all the same. Strings are taken as the texts to encode; `signAs` says which algorithm's key
 * really signs.
 */
export function forge(header: object | string, payload: object | string, signAs: Algorithm): string {
  const texts = [header, payload].map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
  const signed = texts.map(base64url).join('.')
  return `${signed}.${base64url(signatureOf(signAs, signed))}`
}

/** As FusionAuth would sign this body. */
export function tokenFor(
  body: string | Uint8Array,
  alg: Algorithm,
  header: object = {},
  claims: object = {},
): string {
  return forge({ alg, typ: 'JWT', ...header }, { request_body_sha256: digestOf(body), ...claims }, alg)
}
