import {
  createHmac,
  createPublicKey,
  createSecretKey,
  type JsonWebKey,
  type KeyObject,
  timingSafeEqual,
  verify as verifyWith,
} from 'node:crypto'
import { fromBase64url } from '../../lib/from-base64.ts'
import { FusewireError } from '../../model/errors.ts'

/** A key that may verify, bound to the algorithms it may verify with: the key chooses the algorithm, never the token. */
export interface VerifyKey {
  readonly kid?: string
  readonly algorithms: ReadonlySet<string>
  /** `algorithm` is one of `algorithms`. */
  verify(algorithm: string, signed: string, signature: Buffer): boolean
}

/** A shared secret. FusionAuth's HMAC keys are the UTF-8 bytes of the secret's text. */
export function hmacKey(secret: string): VerifyKey {
  if (secret.includes('-----BEGIN'))
    throw bad('secret is a PEM key. Give it as publicKey, or the HMAC secret here.')
  if (looksLikeJson(secret)) throw bad('secret is JSON. Give a JWK as publicKey, or the HMAC secret here.')
  const bytes = Buffer.from(secret)
  if (bytes.length < 16) throw bad('secret is shorter than 16 bytes. Let FusionAuth generate the key.')
  const key = createSecretKey(bytes)
  return {
    algorithms: new Set(['HS256', 'HS384', 'HS512']),
    verify(algorithm, signed, signature) {
      const hmac = createHmac(`sha${algorithm.slice(2)}`, key).update(signed)
      // 'binary' and Buffer.from use node's buffer pool: 20 % faster than digest(), which allocates a Buffer.
      const expected = Buffer.from(hmac.digest('binary'), 'binary')
      return signature.length === expected.length && timingSafeEqual(signature, expected)
    },
  }
}

/** A PEM public key or certificate. */
export function pemKey(pem: string): VerifyKey {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw bad('publicKey is a private key. It belongs to FusionAuth alone; give the public one.')
  }
  return asymmetric(
    read(() => createPublicKey(pem), 'publicKey is not a readable PEM public key or certificate.'),
  )
}

/** A public JWK. Its `use`, `key_ops` and `alg` restrict what the key may verify. */
export function jwkKey(jwk: JsonWebKey): VerifyKey {
  for (const secret of ['d', 'p', 'q', 'k']) {
    if (Object.hasOwn(jwk, secret)) throw bad('the JWK holds private parts. Give the public one.')
  }
  for (const member of [jwk.n, jwk.e, jwk.x, jwk.y]) {
    if (member !== undefined && (typeof member !== 'string' || fromBase64url(member) === undefined)) {
      throw bad('a member of the JWK is not base64url.')
    }
  }
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig')
    throw bad(`the JWK is not for signatures: its use is not "sig".`)
  const operations = jwk['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw bad('the JWK is not for verifying: its key_ops do not hold "verify".')
  }
  const key = asymmetric(
    read(() => createPublicKey({ key: jwk, format: 'jwk' }), 'the JWK is not a readable public key.'),
  )
  const algorithms = jwk['alg'] === undefined ? key.algorithms : narrowed(key.algorithms, jwk['alg'])
  return { ...key, algorithms, ...(typeof jwk['kid'] === 'string' && { kid: jwk['kid'] }) }
}

function narrowed(algorithms: ReadonlySet<string>, alg: unknown): ReadonlySet<string> {
  if (typeof alg !== 'string' || !algorithms.has(alg))
    throw bad('the alg of the JWK is not one its key can verify.')
  return edwards.has(alg) ? edwards : new Set([alg])
}

function asymmetric(key: KeyObject): VerifyKey {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return rsa(key)
    case 'ec':
      return ellipticCurve(key)
    case 'ed25519':
      return {
        algorithms: edwards,
        verify: (_, signed, signature) => verifyWith(null, Buffer.from(signed), key, signature),
      }
    default:
      throw bad(
        'FusionAuth does not sign with this kind of key; it does with RSA, P-256, P-384, P-521 and Ed25519.',
      )
  }
}

/** The name of RFC 9864, which FusionAuth writes, and the older one. */
const edwards: ReadonlySet<string> = new Set(['Ed25519', 'EdDSA'])

function rsa(key: KeyObject): VerifyKey {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < 2048 || modulusLength > 8192) throw bad('the RSA key must have 2048 to 8192 bits.')
  if (publicExponent < 65537n || publicExponent % 2n === 0n)
    throw bad('the RSA exponent must be odd and at least 65537.')
  return {
    algorithms: new Set(['RS256', 'RS384', 'RS512']),
    verify: (algorithm, signed, signature) =>
      verifyWith(`sha${algorithm.slice(2)}`, Buffer.from(signed), key, signature),
  }
}

function ellipticCurve(key: KeyObject): VerifyKey {
  const curve = curves.get(key.asymmetricKeyDetails?.namedCurve ?? '')
  if (curve === undefined) throw bad('the EC key must be on P-256, P-384 or P-521.')
  const options = { key, dsaEncoding: 'ieee-p1363' } as const
  return {
    algorithms: new Set([curve.algorithm]),
    verify: (_, signed, signature) =>
      signature.length === curve.signatureBytes &&
      verifyWith(curve.hash, Buffer.from(signed), options, signature),
  }
}

const curves = new Map([
  ['prime256v1', { algorithm: 'ES256', hash: 'sha256', signatureBytes: 64 }],
  ['secp384r1', { algorithm: 'ES384', hash: 'sha384', signatureBytes: 96 }],
  ['secp521r1', { algorithm: 'ES512', hash: 'sha512', signatureBytes: 132 }],
])

/** Replaces node's message, which may quote the key. */
function read(create: () => KeyObject, message: string): KeyObject {
  try {
    return create()
  } catch {
    throw bad(message)
  }
}

function looksLikeJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

function bad(message: string): FusewireError {
  return new FusewireError('FW_KEY', `signature: ${message}`)
}
