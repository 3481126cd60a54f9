import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { allOf, apiKey, check, signature } from 'fusewire'
import { describe, expect, test } from 'vitest'
import type { IncomingRequest } from '../../src/model/incoming-request.ts'
import type { Authenticator } from '../../src/receive/auth/authenticator.ts'
import { type HandClock, handClock } from '../../src/testing/hand-clock.ts'
import { door, userDelete } from '../support/door.ts'
import { type JwksServer, jwksServer, publicJwk } from '../support/jwks-server.ts'
import { pairs, tokenFor } from '../support/keys.ts'
import { type KeptLog, keptLog } from '../support/log.ts'
import { rimNames } from '../support/rims.ts'

const minute = 60_000
const hour = 60 * minute

/** One authenticator under a clock of its own. */
interface Guard {
  readonly clock: HandClock
  readonly log: KeptLog
  /** What a request with a token under this kid is told: 200, 401, or 503 for "ask again". */
  readonly ask: (kid: string | undefined, alg?: 'RS256' | 'ES256') => Promise<200 | 401 | 503>
  /** Why such a request is turned away, in the words of the log. */
  readonly reasonFor: (kid: string) => Promise<string | undefined>
}

async function guard(authenticate: Authenticator): Promise<Guard> {
  const clock = handClock()
  const log = keptLog()
  await authenticate.prepare(log, clock)
  return {
    clock,
    log,
    async ask(kid, alg = 'RS256') {
      const token = tokenFor('{}', alg, { kid })
      const verdict = await authenticate.admit(withToken(token))
      if (verdict.admitted) return 200
      return verdict.retry === true ? 503 : 401
    },
    async reasonFor(kid) {
      const verdict = await authenticate.admit(withToken(tokenFor('{}', 'RS256', { kid })))
      return verdict.admitted ? undefined : verdict.reason
    },
  }
}

function withToken(token: string): IncomingRequest {
  const headers = new Headers({ 'x-fusionauth-signature-jwt': token })
  return {
    method: 'POST',
    headers: {
      get: (name) => headers.get(name) ?? undefined,
      repeated: () => undefined,
      toHeaders: () => headers,
    },
    body: { start: () => {}, stop: () => {} },
  }
}

const rsa = publicJwk('rsa', { kid: 'a' })
const trusting = (server: JwksServer, ...kids: [string, ...string[]]) =>
  guard(signature({ jwks: server.url, kid: kids }))
const trustingAll = (server: JwksServer) => guard(signature({ jwks: server.url, anyKid: true }))

describe('keys of a JWKS', () => {
  test('are fetched once, at the first token, by all requests together', async () => {
    await using server = await jwksServer(rsa)
    const { ask } = await trusting(server, 'a')
    expect(server.hits).toBe(0)
    expect(await Promise.all([ask('a'), ask('a'), ask('a')])).toEqual([200, 200, 200])
    expect(await ask('a')).toBe(200)
    expect(server.hits).toBe(1)
  })

  test('are trusted only under the kid that was named, and nothing is fetched for another', async () => {
    await using server = await jwksServer(rsa, publicJwk('rsa', { kid: 'user-tokens' }))
    const { ask } = await trusting(server, 'a')
    for (const kid of [
      'user-tokens',
      undefined,
      '',
      'A',
      '__proto__',
      'constructor',
      '../a',
      "a' or 1=1 --",
    ]) {
      expect(await ask(kid)).toBe(401)
    }
    expect(server.hits).toBe(0)
  })

  test('are all trusted with anyKid', async () => {
    await using server = await jwksServer(rsa, publicJwk('p256', { kid: 'b' }))
    const { ask } = await trustingAll(server)
    expect([await ask('a'), await ask('b', 'ES256'), await ask('b'), await ask(undefined)]).toEqual([
      200, 200, 401, 401,
    ])
  })

  test('are found by kid alone: __proto__ and constructor are no keys', async () => {
    await using server = await jwksServer(rsa)
    const { ask } = await trustingAll(server)
    for (const kid of ['__proto__', 'constructor', 'toString']) expect(await ask(kid)).toBe(401)
  })

  test('are renewed after 5 minutes, behind a request that does not wait', async () => {
    await using server = await jwksServer(rsa)
    const { ask, clock } = await trusting(server, 'a')
    await ask('a')
    await clock.advance(5 * minute - 1)
    await ask('a')
    expect(server.hits).toBe(1)
    await clock.advance(1)
    server.misbehave = () => {} // never answers
    const startedAt = performance.now()
    expect(await ask('a')).toBe(200)
    expect(performance.now() - startedAt).toBeLessThan(100)
    await expect.poll(() => server.hits).toBe(2)
  })

  test('rotate: the new kid is fetched when its first token comes', async () => {
    await using server = await jwksServer(rsa)
    const { ask } = await trusting(server, 'a', 'b')
    expect(await ask('a')).toBe(200)
    server.keys = [rsa, publicJwk('p256', { kid: 'b' })]
    expect(await ask('b', 'ES256')).toBe(200)
    expect(server.hits).toBe(2)
  })

  test('are dropped when a later answer no longer has them', async () => {
    await using server = await jwksServer(rsa, publicJwk('p256', { kid: 'b' }))
    const { ask, clock } = await trusting(server, 'a', 'b')
    expect(await ask('a')).toBe(200)
    server.keys = [publicJwk('p256', { kid: 'b' })]
    await clock.advance(5 * minute)
    await ask('a') // renews behind its back
    await expect.poll(() => server.hits).toBe(2)
    await expect.poll(() => ask('a')).toBe(401)
  })

  test('serve up to 24 hours while they cannot be renewed, then nobody is let in: 503', async () => {
    await using server = await jwksServer(rsa)
    const { ask, clock } = await trusting(server, 'a')
    await ask('a')
    server.misbehave = (response) => response.writeHead(500).end()
    await clock.advance(23 * hour)
    expect(await ask('a')).toBe(200)
    await clock.advance(2 * hour)
    expect(await ask('a')).toBe(503)
    server.misbehave = undefined
    await clock.advance(minute)
    expect(await ask('a')).toBe(200)
  })
})

describe('a flood of unknown kids', () => {
  test('causes three fetches, then one in ten seconds, and a rotation meanwhile is accepted within ten', async () => {
    await using server = await jwksServer(rsa)
    const { ask, clock } = await trustingAll(server)
    const flood = async (count: number) => {
      for (let sent = 0; sent < count; sent++) expect(await ask(randomUUID())).toBe(401)
    }
    await flood(250)
    expect(server.hits).toBe(3)
    server.keys = [rsa, publicJwk('p256', { kid: 'b' })]
    expect(await ask('b', 'ES256')).toBe(401) // Held back with the others.
    for (let second = 1; second <= 10; second++) {
      await clock.advance(1000)
      await flood(20)
    }
    expect(server.hits).toBe(4)
    expect(await ask('b', 'ES256')).toBe(200)
    expect(await ask('a')).toBe(200)
  })

  test('costs nothing where a kid is named', async () => {
    await using server = await jwksServer(rsa)
    const { ask } = await trusting(server, 'a')
    for (let sent = 0; sent < 1000; sent++) await ask(`kid ${sent}`)
    expect(server.hits).toBe(0)
  })
})

const drip = (response: ServerResponse) => {
  response.writeHead(200)
  const timer = setInterval(() => response.write(' '), 100)
  response.on('close', () => clearInterval(timer))
}
const body = (text: string | Buffer) => (response: ServerResponse) => void response.end(text)
const set = (...keys: readonly unknown[]) => body(JSON.stringify({ keys }))
const rsaOf = (modulusLength: number, publicExponent = 65537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' })
const octet = { kty: 'oct', k: Buffer.from('0'.repeat(32)).toString('base64url'), kid: 'a' }

const misbehaviours: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'an error': (response) => void response.writeHead(500).end(),
  'another success': (response) => void response.writeHead(203).end(JSON.stringify({ keys: [rsa] })),
  'a redirect to itself': (response) =>
    void response.writeHead(302, { location: '/elsewhere' }).end(JSON.stringify({ keys: [rsa] })),
  HTML: body('<html>Sign in</html>'),
  nothing: body(''),
  'an array': body(JSON.stringify([rsa])),
  'keys that are an object': body(JSON.stringify({ keys: { a: rsa } })),
  'a set without keys': set(),
  'keys that are none': set(null, 1, 'a', [], {}, { kid: 'a' }),
  '5 MiB': body(Buffer.alloc(5 * 1024 * 1024, ' ')),
  '10,000 keys': set(...Array.from({ length: 10_000 }, () => ({ kid: 'a' }))),
  'two keys under one kid': set(rsa, publicJwk('p256', { kid: 'a' })),
  'a key twice': set(rsa, rsa),
  'a secret': set(octet),
  'a private key': set({ ...pairs.rsa.privateKey.export({ format: 'jwk' }), kid: 'a' }),
  'a key for encryption': set({ ...rsa, use: 'enc' }),
  'a key that may not verify': set({ ...rsa, key_ops: ['sign'] }),
  'a key of another algorithm': set({ ...rsa, alg: 'RS512' }, { ...rsa, kid: 'b' }),
  'a key without kid': set({ ...rsa, kid: undefined }),
  'a key whose kid is a number': set({ ...rsa, kid: 1 }),
  'RSA of 1024 bits': set({ ...rsaOf(1024), kid: 'a' }),
  'RSA with exponent 3': set({ ...rsaOf(2048, 3), kid: 'a' }),
  'RSA with exponent 1': set({ ...rsa, e: 'AQ' }),
  'RSA with an even exponent': set({ ...rsa, e: 'AQAC' }),
  'RSA with a modulus in standard base64': set({
    ...rsa,
    n: Buffer.from(String(Object(rsa).n), 'base64url').toString('base64'),
  }),
  'a point that is not on its curve': set({
    ...publicJwk('p256', { kid: 'a' }),
    x: Buffer.alloc(32, 1).toString('base64url'),
  }),
  'an unknown curve': set({ ...publicJwk('p256', { kid: 'a' }), crv: 'P-255' }),
  secp256k1: set({
    ...generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' }),
    kid: 'a',
  }),
  Ed448: set({ ...generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' }), kid: 'a' }),
  X25519: set({ ...generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }), kid: 'a' }),
  'a connection that breaks': (response) =>
    void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
}

describe('a JWKS that gives', () => {
  test.each(Object.entries(misbehaviours))('%s lets nobody in', async (_, misbehave) => {
    await using server = await jwksServer()
    server.misbehave = misbehave
    const { ask } = await trusting(server, 'a')
    expect(await ask('a')).not.toBe(200)
    expect(await ask('a', 'ES256')).not.toBe(200)
    expect(server.hits).toBeLessThanOrEqual(3)
  })

  test.each(Object.entries(misbehaviours).filter(([name]) => !name.startsWith('a key of another')))(
    '%s later on leaves the good keys in place, and says so',
    async (_, misbehave) => {
      await using server = await jwksServer(rsa)
      const { ask, clock, log } = await trusting(server, 'a')
      await ask('a')
      server.misbehave = misbehave
      await clock.advance(5 * minute)
      await ask('a')
      await expect.poll(() => log.text()).toContain('could not be fetched')
      expect(await ask('a')).toBe(200)
    },
  )

  test('an answer that drips or never comes is waited for half a second, then told 503', async () => {
    for (const misbehave of [drip, () => {}]) {
      await using server = await jwksServer(rsa)
      server.misbehave = misbehave
      const { ask, clock } = await trusting(server, 'a')
      const answers = Promise.all([ask('a'), ask('a')])
      await expect.poll(() => server.hits).toBe(1)
      await clock.advance(500)
      expect(await answers).toEqual([503, 503])
      expect(server.hits).toBe(1)
    }
  })

  test('an answer that comes late serves the next request', async () => {
    await using server = await jwksServer(rsa)
    let respond = (): void => {}
    server.misbehave = (response) => {
      respond = () => response.end(JSON.stringify({ keys: [rsa] }))
    }
    const { ask, clock } = await trusting(server, 'a')
    const first = ask('a')
    await expect.poll(() => server.hits).toBe(1)
    await clock.advance(500)
    expect(await first).toBe(503)
    respond()
    expect(await ask('a')).toBe(200)
    expect(server.hits).toBe(1)
  })

  test('500 keys with their certificates lets in the one that is trusted', async () => {
    // What FusionAuth adds to a key of 2,048 bits: the certificate, in base64.
    const others = Array.from({ length: 500 }, (_, index) => ({
      ...rsa,
      kid: `${index}`,
      x5c: ['A'.repeat(1000)],
    }))
    await using server = await jwksServer(...others, rsa)
    const { ask } = await trusting(server, 'a')
    expect(await ask('a')).toBe(200)
    expect(await ask('1')).toBe(401)
  })

  test('101 keys lets nobody in with anyKid, which reads them all', async () => {
    await using server = await jwksServer(
      ...Array.from({ length: 101 }, (_, index) => ({ ...rsa, kid: index === 0 ? 'a' : `${index}` })),
    )
    const { ask } = await trustingAll(server)
    expect(await ask('a')).toBe(503)
  })

  test.each([
    ['for encryption', { use: 'enc' }, 'use is not "sig"'],
    ['that may not verify', { key_ops: ['sign'] }, 'key_ops'],
    ['of another algorithm', { alg: 'ES256' }, 'alg of the JWK'],
    ['that is unreadable', { n: 'AQAB' }, 'RSA key must have'],
  ])('a trusted key %s is refused by name, in the log and in the reason', async (_, members, why) => {
    await using server = await jwksServer({ ...rsa, ...members }, publicJwk('p256', { kid: 'b' }))
    const { ask, reasonFor, log } = await trusting(server, 'a')
    for (let times = 0; times < 5; times++) expect(await ask('a')).toBe(401)
    expect(await reasonFor('a')).toContain('the key a of the JWKS cannot be used')
    expect(await reasonFor('a')).toContain(why)
    const told = log.lines.filter(({ message }) => message === 'a trusted key of the JWKS cannot be used')
    expect(told).toMatchObject([
      { level: 'error', fields: { kid: 'a', reason: expect.stringContaining(why) } },
    ])
  })

  test('unusable keys under other kids is silent', async () => {
    await using server = await jwksServer(rsa, { ...rsa, kid: 'other', use: 'enc' })
    const { ask, log } = await trusting(server, 'a')
    expect(await ask('a')).toBe(200)
    expect(log.lines).toEqual([])
  })

  test('two keys under one kid is told loudly, with the kid', async () => {
    await using server = await jwksServer(rsa, rsa)
    const { ask, log } = await trusting(server, 'a')
    await ask('a')
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error', fields: { kids: ['a'] } }))
  })
})

describe.each(rimNames)('%s', (rim) => {
  const headers = (text: string, more: object = {}) => ({
    'content-type': 'application/json',
    'x-fusionauth-signature-jwt': tokenFor(text, 'RS256', { kid: 'a' }),
    ...more,
  })

  test('accepts by a fetched key; a JWKS that is down is 503 with Retry-After', async () => {
    await using server = await jwksServer(rsa)
    const text = userDelete()
    await using at = await door(rim, { authenticate: signature({ jwks: server.url, kid: 'a' }) })
    expect((await at.send({ headers: headers(text), body: text })).status).toBe(200)
    await server[Symbol.asyncDispose]()
    await using down = await door(rim, { authenticate: signature({ jwks: server.url, kid: 'a' }) })
    const told = await down.send({ headers: headers(text), body: text })
    expect(told.status).toBe(503)
    expect(told.headers.get('retry-after')).toBe('1')
  })

  test('fetches only after every other authenticator let the request in', async () => {
    await using server = await jwksServer(rsa)
    const key = 'key-of-the-endpoint-0123456789'
    const asked: string[] = []
    const authenticate = allOf(
      signature({ jwks: server.url, kid: 'a' }),
      check('mine', ({ headers: given }) => {
        asked.push('check')
        return given.get('x-mine') === 'yes'
      }),
      apiKey(key),
    )
    await using at = await door(rim, { authenticate })
    const text = userDelete()
    const tries: readonly (readonly [object, number, readonly string[], number])[] = [
      [{}, 401, [], 0],
      [{ authorization: 'wrong' }, 401, [], 0],
      [{ authorization: key }, 401, ['check'], 0],
      [{ authorization: key, 'x-mine': 'yes' }, 200, ['check', 'check'], 1],
    ]
    for (const [more, status, checks, hits] of tries) {
      expect((await at.send({ headers: headers(text, more), body: text })).status).toBe(status)
      expect([asked, server.hits]).toEqual([checks, hits])
    }
  })

  test('a redirect is not followed', async () => {
    await using elsewhere = await jwksServer(rsa)
    await using server = await jwksServer()
    server.misbehave = (response) => void response.writeHead(302, { location: elsewhere.url }).end()
    await using at = await door(rim, { authenticate: signature({ jwks: server.url, kid: 'a' }) })
    const text = userDelete()
    expect((await at.send({ headers: headers(text), body: text })).status).toBe(503)
    expect(elsewhere.hits).toBe(0)
  })
})
