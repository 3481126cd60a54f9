import type { JsonWebKey } from 'node:crypto'
import { disposeAll } from '../../lib/dispose-all.ts'
import { asList, type OneOrMore } from '../../lib/one-or-more.ts'
import { signatureHeader } from '../../events/sign.ts'
import { systemClock } from '../../lib/clock.ts'
import { isObject } from '../../lib/json-object.ts'
import { FusewireError } from '../../model/errors.ts'
import type { Log } from '../../model/log.ts'
import { type Authenticator, cost, rejected, createAuthenticator, type Verdict } from './authenticator.ts'
import { Jwks } from './jwks.ts'
import type { JwksOptions } from './jwks-options.ts'
import { hmacKey, jwkKey, pemKey, type VerifyKey } from './verify-key.ts'
import { type Secret, createSecretReader } from './secret.ts'
import { openToken, readClaims, type Token, verifyToken } from './verify-token.ts'

/**
 * Where the key comes from. A JWKS holds more keys than the webhook's (those of user tokens, imported ones), so name the `kid` of the one
 * to trust, or of several while you rotate; `anyKid: true` trusts whoever may sign with any of them.
 */
export type Keys = JwksOptions | { secret: OneOrMore<Secret> } | { publicKey: OneOrMore<string | JsonWebKey> }

/**
 * Lets in requests with FusionAuth's own signature (since 1.48.0): a JWT in `X-FusionAuth-Signature-JWT` whose one claim is the SHA-256 of
 * the body. It binds the body and nothing else: not the time, the URL or the receiver. HS, RS and ES 256-512 and Ed25519.
 *
 * @param options.allowExp Lets a token carry `exp`, and then checks it. Default: false, such a token is no webhook signature.
 * @throws FW_KEY_MISSING without a key; FW_KEY for a key that cannot be read; FW_OPTION for a URL that is not https.
 * @example
 * const authenticate = signature({
 *   jwks: 'https://auth.example.com/.well-known/jwks.json',
 *   kid: '_H07wVG1fV3l5ih74rNxIC3nevE',
 * })
 */
export function signature(keys: OneOrMore<Keys>, options: { allowExp?: boolean } = {}): Authenticator {
  const rings = asList(keys).map(keyRing)
  if (rings.length === 0) throw noKeys()
  const allowExp = options.allowExp === true
  const sets = rings.flatMap(({ jwks }) => jwks ?? [])
  let held: readonly VerifyKey[] = []
  let clock = systemClock

  async function admitByFetched(token: Token, problems: readonly string[]): Promise<Verdict> {
    const reasons = new Set(problems)
    let retry = false
    for (const jwks of sets) {
      const found = await jwks.find(token.kid)
      if ('reason' in found) {
        reasons.add(found.reason)
        retry ||= found.retry === true
        continue
      }
      const verdict = judge(token, [found])
      if (verdict.admitted) return verdict
      reasons.add(verdict.reason)
    }
    const reason = [...reasons].join('; ')
    return retry ? { admitted: false, reason, retry } : rejected(reason)
  }

  function judge(token: Token, candidates: readonly VerifyKey[]): Verdict {
    const problem = verifyToken(token, candidates)
    if (problem !== undefined) return rejected(problem)
    const claims = readClaims(token.payload, allowExp, clock.now())
    return typeof claims === 'string' ? rejected(claims) : { admitted: true, digests: [claims.digest] }
  }

  return createAuthenticator({
    name: 'signature',
    cost: sets.length > 0 ? cost.fetch : cost.signature,
    headers: [signatureHeader],
    async prepare(log, given) {
      clock = given
      for (const jwks of sets) jwks.attend(log, given)
      held = (await Promise.all(rings.map((ring) => ring.read(log)))).flat()
    },
    keepReady: () => disposeAll(sets.map((jwks) => jwks.keepFresh())),
    notReady() {
      if (held.length > 0) return undefined
      const reasons = sets.map((jwks) => jwks.notReady())
      return reasons.includes(undefined) ? undefined : reasons[0]
    },
    admit({ headers }) {
      const text = headers.get(signatureHeader)
      if (text === undefined) return rejected(`no ${signatureHeader} header`)
      const token = openToken(text)
      if (typeof token === 'string') return rejected(token)
      // Keys that need no fetch are tried synchronously: a promise would cost 10 % of an HS256 verification.
      const verdict = judge(token, held)
      if (verdict.admitted || sets.length === 0) return verdict
      return admitByFetched(token, held.length > 0 ? [verdict.reason] : [])
    },
  })
}

/** Keys of one source: fetched when a token names one, or read when the webhook starts. */
interface KeyRing {
  readonly jwks?: Jwks
  read(log: Log): Promise<readonly VerifyKey[]>
}

function keyRing(keys: Keys): KeyRing {
  if (!isObject(keys)) throw noKeys()
  if ('jwks' in keys) return { jwks: new Jwks(keys), read: async () => [] }
  if ('secret' in keys) return secretRing(keys.secret)
  if ('publicKey' in keys) return publicRing(keys.publicKey)
  throw noKeys()
}

function secretRing(secret: OneOrMore<Secret>): KeyRing {
  for (const literal of asList(secret)) {
    if (typeof literal === 'string' && literal !== '') hmacKey(literal)
  }
  const given = createSecretReader(secret, 'signature: secret')
  return {
    async read(log) {
      const texts = await given.read()
      if (texts.some((text) => Buffer.byteLength(text) < 32)) {
        log.warn({}, 'a signature secret is shorter than the hash it keys; 32 random bytes are safe')
      }
      return texts.map(hmacKey)
    },
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
  return { read: async () => ring }
}

function noKeys(): FusewireError {
  return new FusewireError('FW_KEY_MISSING', 'signature: give { jwks, kid }, { secret } or { publicKey }.')
}
