import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Authenticator, signature } from 'fusewire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { door, mark, userDelete } from '../support/door.ts'
import {
  algorithms,
  type Algorithm,
  base64url,
  digestOf,
  forge,
  pairs,
  secret,
  signatureOf,
  spki,
  tokenFor,
} from '../support/keys.ts'
import { rimNames } from '../support/rims.ts'

const jwkOf = (pair: keyof typeof pairs) => pairs[pair].publicKey.export({ format: 'jwk' })
const json = (body: string) => ({ request_body_sha256: digestOf(body) })
const typ = 'JWT'

/** All keys at once: whatever a token claims to be, there is a key it could be confused with. */
const all = () =>
  signature([
    { secret },
    { publicKey: [spki(pairs.rsa.publicKey), jwkOf('p256'), spki(pairs.p384.publicKey)] },
    { publicKey: [jwkOf('p521'), spki(pairs.ed25519.publicKey)] },
  ])

/** Where a key named by a token would be fetched from. */
const fetched: string[] = []
const lure = createServer((request, response) => {
  fetched.push(request.url ?? '')
  response.end(JSON.stringify({ keys: [jwkOf('rsa')] }))
})
let lureUrl = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => lure.listen(0, '127.0.0.1', resolve))
  lureUrl = `http://127.0.0.1:${(lure.address() as AddressInfo).port}/keys` // A listening TCP server has one.
})
afterAll(() => {
  lure.close()
  expect(fetched, 'a token made us fetch something').toEqual([])
})

type Token = (body: string) => string

const hmacWith = (key: string | Buffer, body: string, header: object = {}) => {
  const signed = `${base64url(JSON.stringify({ alg: 'HS256', typ, ...header }))}.${base64url(JSON.stringify(json(body)))}`
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
}
const pem = spki(pairs.rsa.publicKey)
const der = pairs.rsa.publicKey.export({ type: 'spki', format: 'der' })

/** `header.payload.signature` with one of its parts replaced. */
const part = (token: string, index: 0 | 1 | 2, change: (text: string) => string) =>
  token
    .split('.')
    .map((text, at) => (at === index ? change(text) : text))
    .join('.')

/** ECDSA with a chosen r and s, each as wide as P-256 wants. */
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const rs = (r: bigint, s: bigint) =>
  Buffer.from([r, s].map((x) => x.toString(16).padStart(64, '0')).join(''), 'hex')
const es256With = (body: string, change: (signature: Buffer) => Buffer) =>
  part(tokenFor(body, 'ES256'), 2, (text) => base64url(change(Buffer.from(text, 'base64url'))))
/** The same signature as DER. */
const asDer = (bytes: Buffer) => {
  const integer = (half: Buffer) => {
    const trimmed = Buffer.from(half.toString('hex').replace(/^(00)+/, ''), 'hex')
    const body = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed
    return Buffer.concat([Buffer.of(2, body.length), body])
  }
  const both = Buffer.concat([integer(bytes.subarray(0, 32)), integer(bytes.subarray(32))])
  return Buffer.concat([Buffer.of(0x30, both.length), both])
}

/** Changes the last character's spare bits, which decode to the same bytes. */
const spareBits = (text: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(text.at(-1) ?? '')
  for (const other of alphabet) {
    const changed = text.slice(0, -1) + other
    if (alphabet.indexOf(other) === last) continue
    if (Buffer.from(changed, 'base64url').equals(Buffer.from(text, 'base64url'))) return changed
  }
  return `${text}=` // No bits to spare in this one.
}

const spellings: Readonly<Record<string, (text: string) => string>> = {
  padding: (text) => `${text}=`,
  'a space': (text) => `${text.slice(0, 5)} ${text.slice(5)}`,
  'a +': (text) => text.replace(/.$/, '+'),
  'a /': (text) => text.replace(/.$/, '/'),
  'spare bits': spareBits,
  'a non-ASCII letter': (text) => `${text}é`,
  'a character of no alphabet': (text) => `${text}!`,
}

/** A token with one part spelled in another way, and signed so: only the spelling is wrong. */
const spelled = (body: string, index: 0 | 1 | 2, change: (text: string) => string) => {
  const signed = part(tokenFor(body, 'HS256').replace(/\.[^.]*$/, ''), index, change)
  const tail = base64url(signatureOf('HS256', signed))
  return `${signed}.${index === 2 ? change(tail) : tail}`
}

const header =
  (members: object | string, alg: Algorithm = 'RS256'): Token =>
  (body) =>
    forge(typeof members === 'string' ? members : { alg, typ, ...members }, json(body), alg)
const claims =
  (members: object): Token =>
  (body) =>
    forge({ alg: 'RS256', typ }, { ...json(body), ...members }, 'RS256')

const refused: Readonly<Record<string, Token>> = {
  'alg none, no signature': (body) =>
    `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(json(body)))}.`,
  ...Object.fromEntries(
    [
      'none',
      'None',
      'NONE',
      '',
      ' RS256',
      'rs256',
      'RS1',
      'HS1',
      'ES256K',
      'Ed448',
      'PS256',
      'constructor',
      '__proto__',
    ].map((alg) => [
      `alg ${JSON.stringify(alg)}`,
      (body: string) => forge({ alg, typ }, json(body), 'RS256'),
    ]),
  ),
  'alg absent': (body) => forge({ typ }, json(body), 'RS256'),
  'alg in capitals of a sort': (body) => forge({ Alg: 'RS256', typ }, json(body), 'RS256'),
  'alg an array': (body) => forge({ alg: ['RS256'], typ }, json(body), 'RS256'),
  'alg a number': (body) => forge({ alg: 256, typ }, json(body), 'RS256'),
  'alg null': (body) => forge({ alg: null, typ }, json(body), 'RS256'),
  'HS256 over the RSA key in PEM': (body) => hmacWith(pem, body),
  'HS256 over the PEM without its last line feed': (body) => hmacWith(pem.trim(), body),
  'HS256 over the RSA key in DER': (body) => hmacWith(der, body),
  'HS256 over the JWK': (body) => hmacWith(JSON.stringify(jwkOf('rsa')), body),
  'HS256 over the modulus': (body) => hmacWith(Buffer.from(String(jwkOf('rsa').n), 'base64url'), body),
  'HS256 over a prefixed PEM': (body) => hmacWith(`\n${pem}`, body),
  'HS256 over nothing': (body) => hmacWith('', body),
  'HS256 over the secret in base64': (body) => hmacWith(Buffer.from(secret, 'base64'), body),
  'RS256 said of an EC signature': (body) => forge({ alg: 'RS256', typ }, json(body), 'ES256'),
  'RS384 said of an RS256 signature': (body) => forge({ alg: 'RS384', typ }, json(body), 'RS256'),
  'ES256 said of a P-384 signature': (body) => forge({ alg: 'ES256', typ }, json(body), 'ES384'),
  'Ed25519 said of an RSA signature': (body) => forge({ alg: 'Ed25519', typ }, json(body), 'RS256'),
  'HS512 cut to HS256': (body) => {
    const token = tokenFor(body, 'HS512')
    return part(token, 2, (text) => base64url(Buffer.from(text, 'base64url').subarray(0, 32)))
  },
  'ES256 in DER': (body) => es256With(body, asDer),
  'r = 0, s = 0': (body) => es256With(body, () => rs(0n, 0n)),
  'r = 0': (body) => es256With(body, (bytes) => Buffer.concat([rs(0n, 0n).subarray(32), bytes.subarray(32)])),
  's = 0': (body) =>
    es256With(body, (bytes) => Buffer.concat([bytes.subarray(0, 32), rs(0n, 0n).subarray(32)])),
  'r = s = n': (body) => es256With(body, () => rs(n, n)),
  'r = s = 1': (body) => es256With(body, () => rs(1n, 1n)),
  'r + n': (body) =>
    es256With(body, (bytes) => rs((BigInt(`0x${bytes.toString('hex', 0, 32)}`) + n) % (1n << 256n), 1n)),
  'ES256 a byte short': (body) => es256With(body, (bytes) => bytes.subarray(1)),
  'ES256 a byte long': (body) => es256With(body, (bytes) => Buffer.concat([Buffer.of(0), bytes])),
  'a signature cut by a byte': (body) =>
    part(tokenFor(body, 'RS256'), 2, (text) => base64url(Buffer.from(text, 'base64url').subarray(0, -1))),
  'a signature with a byte more': (body) =>
    part(tokenFor(body, 'HS256'), 2, (text) =>
      base64url(Buffer.concat([Buffer.from(text, 'base64url'), Buffer.of(0)])),
    ),
  'an empty signature': (body) => part(tokenFor(body, 'HS256'), 2, () => ''),
  'the signature of another token': (body) =>
    part(tokenFor(body, 'RS256'), 2, () => tokenFor('{}', 'RS256').split('.')[2] ?? ''),
  'two parts': (body) => tokenFor(body, 'RS256').split('.').slice(0, 2).join('.'),
  'four parts': (body) => `${tokenFor(body, 'RS256')}.`,
  'five parts': (body) => `${tokenFor(body, 'RS256')}.e30.e30`,
  'two tokens': (body) => `${tokenFor(body, 'RS256')} ${tokenFor(body, 'RS256')}`,
  'two tokens and a comma': (body) => `${tokenFor(body, 'RS256')}, ${tokenFor(body, 'RS256')}`,
  'the JSON form': (body) => {
    const [head, payload, tail] = tokenFor(body, 'RS256').split('.')
    return JSON.stringify({ protected: head, payload, signature: tail })
  },
  'a Bearer prefix': (body) => `Bearer ${tokenFor(body, 'RS256')}`,
  nothing: () => '',
  dots: () => '..',
  'crit of something known': header({ crit: ['alg'] }),
  'crit of something unknown': header({ crit: ['http://example.com/x'], 'http://example.com/x': true }),
  'crit empty': header({ crit: [] }),
  'b64 false': header({ b64: false, crit: ['b64'] }),
  'b64 false without crit': header({ b64: false }),
  zip: header({ zip: 'DEF' }),
  jku: (body) => header({ jku: lureUrl })(body),
  jwk: (body) => header({ jwk: jwkOf('rsa') })(body),
  x5u: (body) => header({ x5u: lureUrl })(body),
  x5c: (body) => header({ x5c: [der.toString('base64')] })(body),
  'kid an array': header({ kid: ['a'] }),
  'kid a number': header({ kid: 1 }),
  'kid null': header({ kid: null }),
  'kid of 10 KiB': header({ kid: 'k'.repeat(10_240) }),
  'a token of 9 KiB': (body) => tokenFor(body, 'RS256', {}, { filler: 'x'.repeat(6000) }),
  'a header that is an array': header('["RS256"]'),
  'a header that is a string': header('"RS256"'),
  'a header that is null': header('null'),
  'a header that is no JSON': header('{"alg":"RS256"'),
  'a header with a byte order mark': header('\uFEFF{"alg":"RS256"}'),
  'a header with only __proto__': header('{"__proto__":{"alg":"RS256"}}'),
  'a payload that is an array': (body) => forge({ alg: 'RS256', typ }, [json(body)], 'RS256'),
  'a payload that is a string': (body) =>
    forge({ alg: 'RS256', typ }, JSON.stringify(digestOf(body)), 'RS256'),
  'a payload that is no JSON': () => forge({ alg: 'RS256', typ }, '{', 'RS256'),
  'an empty payload': () => forge({ alg: 'RS256', typ }, '', 'RS256'),
  ...Object.fromEntries(
    ([0, 1, 2] as const).flatMap((index) =>
      Object.entries(spellings).map(([name, change]) => [
        `${name} in part ${index}`,
        (body: string) => spelled(body, index, change),
      ]),
    ),
  ),
  'no digest': (body) => forge({ alg: 'RS256', typ }, { body: digestOf(body) }, 'RS256'),
  'digest null': claims({ request_body_sha256: null }),
  'digest a number': claims({ request_body_sha256: 1 }),
  'digest an array': (body) => claims({ request_body_sha256: [digestOf(body)] })(body),
  'digest in base64url': (body) =>
    claims({ request_body_sha256: Buffer.from(digestOf(body), 'base64').toString('base64url') })(body),
  'digest in hex': (body) =>
    claims({ request_body_sha256: Buffer.from(digestOf(body), 'base64').toString('hex') })(body),
  'digest unpadded': (body) => claims({ request_body_sha256: digestOf(body).slice(0, -1) })(body),
  'digest with other spare bits': (body) =>
    claims({ request_body_sha256: `${spareBits(digestOf(body).slice(0, -1))}=` })(body),
  'digest of another body': () => claims(json(userDelete()))(''),
  'digest of the body and a line feed': (body) => claims(json(`${body}\n`))(body),
  'digest of the body with a byte order mark': (body) => claims(json(`\uFEFF${body}`))(body),
  'digest of the body written again': (body) => claims(json(JSON.stringify(JSON.parse(body), null, 1)))(body),
  'digest of nothing': (body) => claims(json(''))(body),
  'exp in the future': claims({ exp: 4_000_000_000 }),
  'exp null': claims({ exp: null }),
  sub: claims({ sub: 'ada' }),
  aud: claims({ aud: 'app' }),
  'what a sign-in would carry': claims({
    sub: 'ada',
    aud: 'app',
    exp: 4_000_000_000,
    iat: 1,
    iss: 'acme.com',
  }),
}

const accepted: Readonly<Record<string, Token>> = {
  ...Object.fromEntries(
    Object.keys(algorithms).map((alg) => [alg, (body: string) => tokenFor(body, alg as Algorithm)]), // They are its keys.
  ),
  'iat, iss and jti': claims({ iat: 1, iss: 'acme.com', jti: 'x' }),
  'an unknown header member': header({ hint: 'x', nbf: 1 }),
  'no typ': header({ typ: undefined }),
  'a kid of any sort, where no JWKS is': header({ kid: '__proto__' }),
  'white space in the header': header('{ "alg" :\n"RS256"\t}'),
}

describe.each(rimNames)('%s', (rim) => {
  const send = async (
    token: Token,
    authenticate: Authenticator = all(),
    headerName = 'X-FusionAuth-Signature-JWT',
  ) => {
    const body = userDelete()
    const text = token(body)
    await using at = await door(rim, {
      authenticate,
      hidden: [secret, ...text.split('.').filter(({ length }) => length > 30)],
    })
    const headers = { 'content-type': 'application/json', [headerName]: text }
    const { status } = await at.send({ headers, body })
    return { status, ran: at.ran.length }
  }

  test.each(Object.entries(refused))('refuses %s', async (_, token) => {
    expect(await send(token)).toEqual({ status: 401, ran: 0 })
  })

  test.each(Object.entries(accepted))('accepts %s', async (_, token) => {
    expect(await send(token)).toEqual({ status: 200, ran: 1 })
  })

  test.each([
    ['of FusionAuth', { exp: 4_000_000_000 }, 200],
    ['that has passed', { exp: 1 }, 401],
    ['that is a text', { exp: '4000000000' }, 401],
    ['beside a sub', { exp: 4_000_000_000, sub: 'ada' }, 401],
    ['that is not there', {}, 200],
  ])('with allowExp, an exp %s', async (_, extra, status) => {
    const authenticate = signature({ publicKey: pem }, { allowExp: true })
    expect(await send(claims(extra), authenticate)).toMatchObject({ status })
  })

  test.each([
    ['a key pair of somebody else', signature({ publicKey: spki(pairs.p384.publicKey) })],
    ['no key for the algorithm', signature({ secret })],
    [
      'a JWK for another algorithm of the same key',
      signature({ publicKey: { ...jwkOf('rsa'), alg: 'RS512' } }),
    ],
  ])('refuses a good token when we hold %s', async (_, authenticate) => {
    expect(await send(header({}), authenticate)).toEqual({ status: 401, ran: 0 })
  })

  test.each(['Authorization', 'X-FusionAuth-Signature', 'X-FusionAuth-Signature-JWT2'])(
    'does not look for the token in %s',
    async (name) => {
      expect(await send(header({}), all(), name)).toEqual({ status: 401, ran: 0 })
    },
  )

  test('does not remember a header that never verified', async () => {
    const forged = `${base64url('{"alg":"RS256","typ":"JWT","forged":1}')}.${base64url('{}')}`
    await send(() => `${forged}.${base64url(signatureOf('HS256', forged))}`)
    expect(await send(header({ forged: 1 }))).toEqual({ status: 200, ran: 1 })
  })

  test('binds the body: one changed byte is refused, and its token is not in the log', async () => {
    const body = userDelete()
    const token = tokenFor(body, 'ES256')
    await using at = await door(rim, { authenticate: all(), hidden: [token] })
    const headers = { 'content-type': 'application/json', 'x-fusionauth-signature-jwt': token }
    expect((await at.send({ headers, body: body.replace(mark, mark.toUpperCase()) })).status).toBe(401)
    expect(at.log.text()).toContain('not the one that was signed')
    expect((await at.send({ headers, body })).status).toBe(200)
  })
})
