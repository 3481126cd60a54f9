import fc from 'fast-check'
import { compactVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { hmacKey, jwkKey, pemKey, type VerifyKey } from '../../src/receive/auth/verify-key.ts'
import { openToken, readClaims, verifyToken } from '../../src/receive/auth/verify-token.ts'
import {
  type Algorithm,
  algorithms,
  base64url,
  digestOf,
  forge,
  signatureOf,
  spki,
  tokenFor,
} from '../support/keys.ts'

const names = Object.keys(algorithms) as Algorithm[] // They are its keys.
type Oracle = Parameters<typeof compactVerify>[1]

/** Our key and jose's, for one algorithm. */
function keysOf(alg: Algorithm): { ours: readonly VerifyKey[]; theirs: Oracle } {
  const key = algorithms[alg]
  if (typeof key === 'string') return { ours: [hmacKey(key)], theirs: Buffer.from(key) }
  const { publicKey } = key
  return { ours: [pemKey(spki(publicKey))], theirs: publicKey }
}

const ours = (token: string, keys: readonly VerifyKey[]): boolean => {
  const opened = openToken(token)
  return typeof opened !== 'string' && verifyToken(opened, keys) === undefined
}
/** jose, allowed the algorithms our key is bound to. */
const theirs = async (token: string, key: Oracle, allowed: readonly VerifyKey[]): Promise<boolean> => {
  const verified = compactVerify(token, key, { algorithms: allowed.flatMap(({ algorithms: of }) => [...of]) })
  return verified.then(
    () => true,
    () => false,
  )
}

const body = '{"event":{"type":"x"}}'
const tokens = names.map((alg) => [alg, tokenFor(body, alg)] as const)

/** A change to the text of a token: bytes replaced, put in, taken away; parts of another token; case. */
const mutation = fc.oneof(
  fc.record({ at: fc.nat(400), by: fc.string({ minLength: 0, maxLength: 3 }), removing: fc.nat(3) }).map(
    ({ at, by, removing }) =>
      (token: string) =>
        token.slice(0, at % token.length) + by + token.slice((at % token.length) + removing),
  ),
  fc.constantFrom(...tokens).chain(([, other]) =>
    fc.nat(2).map(
      (index) => (token: string) =>
        token
          .split('.')
          .map((text, at) => (at === index ? (other.split('.')[index] ?? '') : text))
          .join('.'),
    ),
  ),
  fc.nat(400).map((at) => (token: string) => {
    const index = at % token.length
    const letter = token.charAt(index)
    return (
      token.slice(0, index) +
      (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()) +
      token.slice(index + 1)
    )
  }),
)

/** Headers of every kind, signed as they are. */
const headers = fc.record(
  {
    alg: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom<unknown>(...names) },
      { weight: 1, arbitrary: fc.jsonValue() },
    ),
    typ: fc.constantFrom('JWT', 'jwt', 'at+jwt'),
    kid: fc.oneof(fc.string(), fc.jsonValue()),
    crit: fc.oneof(fc.constant([]), fc.constant(['b64']), fc.jsonValue()),
    b64: fc.oneof(fc.boolean(), fc.jsonValue()),
    zip: fc.constantFrom('DEF', ''),
    jwk: fc.jsonValue(),
    other: fc.jsonValue(),
  },
  { requiredKeys: ['alg'] },
)

describe.each(names)('%s', (alg) => {
  const { ours: held, theirs: oracle } = keysOf(alg)
  const token = tokenFor(body, alg)

  test('both accept what is good', async () => {
    expect(ours(token, held)).toBe(true)
    expect(await theirs(token, oracle, held)).toBe(true)
  })

  test('no change of a token is accepted by us, and never by us alone', async () => {
    await fc.assert(
      fc.asyncProperty(mutation, async (mutate) => {
        const changed = mutate(token)
        fc.pre(changed !== token)
        const accepted = ours(changed, held)
        if (accepted) expect(await theirs(changed, oracle, held)).toBe(true)
        // A whole other token under the same key may be put together; nothing else is.
        if (accepted) expect(tokens.map(([, other]) => other)).toContain(changed)
      }),
      { numRuns: 300 },
    )
  })

  test('a header we accept is one jose accepts', async () => {
    await fc.assert(
      fc.asyncProperty(headers, async (header) => {
        const strange = forge(header, { request_body_sha256: digestOf(body) }, alg)
        if (ours(strange, held)) expect(await theirs(strange, oracle, held)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('no other signature is accepted: flipped, cut, extended, of any other length', async () => {
    const [head = '', payload = ''] = token.split('.')
    const good = signatureOf(alg, `${head}.${payload}`)
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc
        .tuple(fc.nat(good.length - 1), fc.nat({ max: 7 }))
        .map(([at, bit]) => good.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte))),
      fc.nat(good.length - 1).map((length) => good.subarray(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 4 }).map((more) => Buffer.concat([good, more])),
      fc.uint8Array({ minLength: 1, maxLength: 4 }).map((more) => Buffer.concat([more, good])),
    )
    fc.assert(
      fc.property(bytes, (signature) => {
        expect(ours(`${head}.${payload}.${base64url(signature)}`, held)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })
})

test('a token is accepted by no key of another kind', () => {
  for (const [alg, token] of tokens) {
    for (const other of names) {
      const same = algorithms[alg] === algorithms[other]
      expect(ours(token, keysOf(other).ours), `${alg} by the key of ${other}`).toBe(same)
    }
  }
})

test.each(names.filter((alg) => typeof algorithms[alg] !== 'string'))(
  '%s: a JWK verifies as the PEM does, and only its alg',
  (alg) => {
    const key = algorithms[alg]
    if (typeof key === 'string') return
    const jwk = key.publicKey.export({ format: 'jwk' })
    expect(ours(tokenFor(body, alg), [jwkKey(jwk)])).toBe(true)
    expect(ours(tokenFor(body, alg), [jwkKey({ ...jwk, alg })])).toBe(true)
  },
)

test('claims: whatever the payload holds, a digest comes out only whole', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom('request_body_sha256', 'exp', 'sub', 'aud', 'iat'), fc.jsonValue()),
      ),
      (payload) => {
        const claims = readClaims(Buffer.from(JSON.stringify(payload)), false, 0)
        if (typeof claims !== 'string')
          expect(Buffer.from(claims.digest, 'base64').length).toBeGreaterThanOrEqual(32)
      },
    ),
  )
})

/**
 * Deliberate differences, all on the careful side: jose accepts these and we do not.
 */
test.each([
  ['b64: true with crit', { b64: true, crit: ['b64'] }],
  ['a kid that is a number', { kid: 1 }],
  ['jku', { jku: 'https://example.com' }],
  ['jwk', { jwk: {} }],
  ['x5c', { x5c: [] }],
])('jose accepts %s, we do not', async (_, members) => {
  const token = forge({ alg: 'ES256', ...members }, {}, 'ES256')
  const { ours: held, theirs: oracle } = keysOf('ES256')
  expect(await theirs(token, oracle, held)).toBe(true)
  expect(ours(token, held)).toBe(false)
})
