import type { JsonWebKey } from 'node:crypto'
import { asList, type OneOrMore } from '../lib/one-or-more.ts'
import { signatureHeader } from '../lib/sign.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { isObject } from '../lib/json.ts'
import { FusewireError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import { type Authenticator, cost, rejected, seal, type Verdict } from './authenticator.ts'
import { Jwks, type JwksOptions } from './jwks.ts'
import { hmacKey, jwkKey, pemKey, type VerifyKey } from './keys.ts'
import { type Secret, secrets } from './secret.ts'
import { openToken, readClaims, type Token, verifyToken } from './verify.ts'

/**
 * Where the key comes from. A JWKS holds more keys than the webhook's (those of user tokens, imported ones), so name the `kid` of the one
 * to trust, or of several while you rotate; `anyKid: true` trusts whoever may sign with any of them.
 */
export type Keys = JwksOptions | { secret: OneOrMore<Secret> } | { publicKey: OneOrMore<string | JsonWebKey> }

/**
 * FusionAuth's own signature (since 1.48.0): a JWT in `X-FusionAuth-Signature-JWT` whose one claim is the SHA-256 of the body.
 * It binds the body and nothing else: not the time, the URL or the receiver. HS, RS and ES 256-512 and Ed25519.
 *
 * @param options.allowExp Lets a token carry `exp`, and then checks it. Default: false, such a token is no webhook signature.
 * @example
 * signature({ jwks: 'https://auth.example.com/.well-known/jwks.json', kid: '_H07wVG1fV3l5ih74rNxIC3nevE' })
 */
export function signature(keys: OneOrMore<Keys>, options: { allowExp?: boolean } = {}): Authenticator {
  const rings = asList(keys).map(keyRing)
  if (rings.length === 0) throw noKeys()
  const allowExp = options.allowExp === true

  async function admitFrom(token: Token): Promise<Verdict> {
    const problems = []
    let retry = false
    for (const ring of rings) {
      const found = await ring.find(token.kid)
      if (typeof found === 'string') {
        problems.push(found)
        retry ||= found === unavailable
        continue
      }
      const verdict = judge(token, found)
      if (verdict.admitted) return verdict
      problems.push(verdict.reason)
    }
    const reason = [...new Set(problems)].join('; ')
    return retry ? { admitted: false, reason, retry } : rejected(reason)
  }

  function judge(token: Token, candidates: readonly VerifyKey[]): Verdict {
    const problem = verifyToken(token, candidates)
    if (problem !== undefined) return rejected(problem)
    const claims = readClaims(token.payload, allowExp, clock.now())
    return typeof claims === 'string' ? rejected(claims) : { admitted: true, digests: [claims.digest] }
  }

  let clock = systemClock
  const reachesOut = rings.some((ring) => ring.reachesOut)
  return seal({
    name: 'signature',
    cost: reachesOut ? cost.fetch : cost.signature,
    headers: [signatureHeader],
    async prepare(log, given) {
      clock = given
      for (const ring of rings) await ring.prepare(log, given)
    },
    admit({ headers }) {
      const text = headers.get(signatureHeader)
      if (text === undefined) return rejected(`no ${signatureHeader} header`)
      const token = openToken(text)
      if (typeof token === 'string') return rejected(token)
      return admitFrom(token)
    },
  })
}

/** Keys of one origin. */
interface KeyRing {
  readonly reachesOut: boolean
  prepare(log: Log, clock: Clock): Promise<void>
  /** The keys that may have signed under this `kid`, or why there are none. */
  find(kid: string | undefined): Promise<readonly VerifyKey[] | string> | readonly VerifyKey[] | string
}

const unavailable = 'the keys cannot be fetched'

function keyRing(keys: Keys): KeyRing {
  if ('jwks' in keys) {
    const jwks = new Jwks(keys)
    return {
      reachesOut: true,
      prepare: async (log, clock) => jwks.attend(log, clock),
      async find(kid) {
        const found = await jwks.find(kid)
        return found === 'unavailable'
          ? unavailable
          : found === 'unknown'
            ? 'the kid of the token is none we trust'
            : [found]
      },
    }
  }
  if ('secret' in keys) return secretRing(keys.secret)
  if ('publicKey' in keys) return publicRing(keys.publicKey)
  throw noKeys()
}

function secretRing(secret: OneOrMore<Secret>): KeyRing {
  for (const literal of asList(secret)) {
    if (typeof literal === 'string' && literal !== '') hmacKey(literal)
  }
  const given = secrets(secret, 'signature: secret')
  let ring: readonly VerifyKey[] = []
  return {
    reachesOut: false,
    async prepare(log) {
      const texts = await given.read()
      ring = texts.map(hmacKey)
      if (texts.some((text) => Buffer.byteLength(text) < 32)) {
        log.warn({}, 'a signature secret is shorter than the hash it keys; 32 random bytes are safe')
      }
    },
    find: () => ring,
  }
}

function publicRing(publicKey: OneOrMore<string | JsonWebKey>): KeyRing {
  const ring = asList(publicKey).map((key) => {
    if (typeof key === 'string' && key.trim() !== '') return pemKey(key)
    if (isObject(key)) return jwkKey(key)
    throw new FusewireError(
      'FW_KEY_MISSING',
      'signature: publicKey is missing. Give a PEM public key or a JWK.',
    )
  })
  if (ring.length === 0) throw noKeys()
  return { reachesOut: false, prepare: async () => {}, find: () => ring }
}

function noKeys(): FusewireError {
  return new FusewireError('FW_KEY_MISSING', 'signature: give { jwks, kid }, { secret } or { publicKey }.')
}
