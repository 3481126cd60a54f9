import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { sample, sign, type SigningKey } from 'fusewire/testing'
import { harmless, run } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'fusewire-verify-'))
afterAll(() => rmSync(folder, { recursive: true }))

const secret = 'a secret that both of them know well'
const env = { SECRET: secret, KEY: 'the key of this test' }

interface Parts {
  readonly event?: object
  readonly body?: string
  /** What was signed, when that is not the body. */
  readonly signed?: string
  readonly key?: SigningKey
  readonly headers?: readonly string[]
  readonly start?: string
  readonly lineEnd?: string
}

function capture({
  event = sample('user.create'),
  body = JSON.stringify({ event }),
  signed = body,
  key = { secret },
  headers = [],
  start = 'POST /hook HTTP/1.1',
  lineEnd = '\r\n',
}: Parts = {}): string {
  const head = [
    start,
    'Host: localhost:3000',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-FusionAuth-Signature-JWT: ${sign(signed, key)}`,
    ...headers,
  ]
  return `${head.join(lineEnd)}${lineEnd}${lineEnd}${body}`
}

async function verify(request: string | Uint8Array, ...args: readonly string[]) {
  const { code, out, err } = await run(['verify', '-', ...args, '--json'], { input: request, env })
  return { code, err, ...(out === '' ? {} : JSON.parse(out)) } as {
    code: number
    err: string
    status: number
    mended: string[]
    steps: { name: string; verdict: string; says: string; hint?: string }[]
  }
}

const signedBy = ['--signing-secret', 'env:SECRET']

test('a good request passes every step', async () => {
  const { code, status, steps } = await verify(capture(), ...signedBy)
  expect({ code, status }).toEqual({ code: 0, status: 200 })
  expect(steps.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual(
    ['method', 'framing', 'media type', 'credentials', 'body', 'signed body', 'event', 'fields'].map(
      (name) => `${name} holds`,
    ),
  )
})

test('tells people in words', async () => {
  const file = join(folder, 'request.http')
  writeFileSync(file, capture())
  const { code, out, err } = await run(['verify', file, ...signedBy], { env })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/✓ credentials {2,}signature\n/)
  expect(out).toMatch(/The receiver would accept it, if no gate refuses\.\n$/)
})

test.each([
  [
    'a wrong key',
    capture({ key: { secret: 'another secret, just as long' } }),
    signedBy,
    401,
    'credentials',
    'the signature does not verify',
    'alg HS256',
  ],
  [
    'a changed body',
    capture({ signed: '{}' }),
    signedBy,
    401,
    'signed body',
    'not the one that was signed',
    'Was the body changed',
  ],
  [
    'a newline more',
    capture({ body: '{"event":{"type":"test"}}\n', signed: '{"event":{"type":"test"}}' }),
    signedBy,
    401,
    'signed body',
    '',
    'something added one',
  ],
  [
    'a newline less',
    capture({ body: '{"event":{"type":"test"}}', signed: '{"event":{"type":"test"}}\n' }),
    signedBy,
    401,
    'signed body',
    '',
    'something took it away',
  ],
  [
    'JSON written anew',
    capture({ body: '{ "event": {"type":"test"} }', signed: '{"event":{"type":"test"}}' }),
    signedBy,
    401,
    'signed body',
    '',
    'parsed it and wrote it anew',
  ],
  [
    'a GET',
    capture({ start: 'GET /hook HTTP/1.1' }),
    signedBy,
    405,
    'method',
    'Events come by POST',
    undefined,
  ],
  [
    'a second key header',
    capture({ headers: ['Authorization: a', 'Authorization: b'] }),
    ['--api-key', 'env:KEY'],
    400,
    'framing',
    'authorization header came more than once',
    undefined,
  ],
  [
    'a form',
    capture().replace('application/json', 'text/plain'),
    signedBy,
    415,
    'media type',
    'must be application/json',
    undefined,
  ],
  [
    'no key',
    capture(),
    ['--api-key', 'env:KEY'],
    401,
    'credentials',
    'no authorization header',
    'Add the header under Headers',
  ],
  [
    'Bearer before the key',
    capture({ headers: ['Authorization: Bearer the key of this test'] }),
    ['--api-key', 'env:KEY'],
    401,
    'credentials',
    'wrong key in authorization',
    'begins with “Bearer ”',
  ],
  ['no JSON', capture({ body: '{"event":' }), signedBy, 400, 'event', 'not JSON', undefined],
  [
    'no envelope',
    capture({ body: '{"type":"user.create"}' }),
    signedBy,
    400,
    'event',
    '{"event":{…}}',
    undefined,
  ],
  [
    'a body that was cut off',
    capture().slice(0, -10),
    signedBy,
    400,
    'body',
    'ended before its time',
    'Was all of the body captured?',
  ],
  [
    'a promise that is broken',
    capture({ event: { type: 'user.delete', id: 'a', createInstant: 1 } }),
    signedBy,
    200,
    'fields',
    'user is missing',
    'answers 500',
  ],
] as const)('explains %s', async (_, request, args, answer, name, says, hint) => {
  const { code, status, steps } = await verify(request, ...args)
  expect({ code, status }).toEqual({ code: 1, status: answer })
  const fault = steps.at(-1)
  expect(fault).toMatchObject({ name, verdict: 'fails', says: expect.stringContaining(says) })
  if (hint === undefined) expect(fault).not.toHaveProperty('hint')
  else expect(fault?.hint).toContain(hint)
})

test('without a key it checks what can be checked', async () => {
  const good = await verify(capture())
  expect(good.code).toBe(0)
  expect(good.steps.find(({ name }) => name === 'credentials')).toMatchObject({ verdict: 'not checked' })
  expect((await verify(capture({ signed: '{}' }))).steps.at(-1)).toMatchObject({
    name: 'signed body',
    verdict: 'fails',
  })
})

test('reads public keys, line ends of editors, and heads apart from bodies', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const file = join(folder, 'public.pem')
  writeFileSync(file, publicKey)
  const key = { privateKey, kid: 'k1' }
  expect((await verify(capture({ key, lineEnd: '\n' }), '--public-key', file)).code).toBe(0)

  const [head = '', body = ''] = capture({ key }).split('\r\n\r\n')
  writeFileSync(
    join(folder, 'head.txt'),
    head
      .split('\r\n')
      .slice(1)
      .filter((line) => !line.startsWith('Content-Length'))
      .join('\n'),
  )
  writeFileSync(join(folder, 'body.json'), body)
  const apart = await run([
    'verify',
    join(folder, 'head.txt'),
    '--body',
    join(folder, 'body.json'),
    '--public-key',
    file,
  ])
  expect(apart.code).toBe(0)
  expect(apart.out).toContain('! It has no request line')
  expect(apart.out).toContain('! It has no Content-Length')
})

describe('bad input gets one sentence', () => {
  test.each([
    [['/nowhere'], '', '/nowhere does not exist'],
    [['-'], 'nonsense', 'neither a request line nor a header'],
    [
      ['-'],
      'POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'node cannot read it as HTTP',
    ],
    [['-'], 'CONNECT a:1 HTTP/1.1\r\n\r\n', 'never sees this request'],
    [['-'], 'POST / HTTP/1.1\r\nExpect: more\r\n\r\n', 'with 417'],
    [['-', '--signing-secret', 'short and literal'], '', 'not the secret itself'],
    [['-', '--signing-secret', 'env:SHORT'], capture(), 'FW_KEY'],
    [['-', '--jwks', 'https://auth.example.com/jwks.json'], capture(), '--jwks needs --kid'],
    [['-', '--kid', 'k'], capture(), '--kid needs --jwks'],
    [['-', '--username', 'u'], capture(), 'need each other'],
    [['-', '--signing-secret', 'env:SECRET', '--public-key', '/x'], capture(), 'Give one of'],
  ] as const)('%j', async (args, input, words) => {
    const ended = await run(['verify', ...args], { input, env: { ...env, SHORT: 'short' } })
    expect(ended).toMatchObject({ code: 2, out: '' })
    expect(ended.err).toContain(words)
    expect(ended.err.trimEnd().split('\n')).toHaveLength(1)
  })
})

test('nothing a request says reaches the terminal, and no secret is told', async () => {
  const hostile = '\u001b[2J\u001b]52;c;cHduZWQ=\u0007\u009b\u202e\u200b\r'
  const requests = [
    capture({ event: { ...sample('user.create'), type: hostile, id: hostile } }),
    capture({ key: { secret: 'another secret, just as long', kid: hostile } }),
    Buffer.from(`${hostile} HTTP/1.1\r\n\r\n`),
    capture({ start: 'POST /\u009b HTTP/1.1' }),
  ]
  for (const request of requests) {
    for (const json of [[], ['--json']]) {
      const { out, err } = await run(['verify', '-', ...signedBy, ...json, '--debug'], {
        input: request,
        env,
      })
      expect(harmless(out + err)).toBe(true)
      expect(out + err).not.toContain(secret)
    }
  }
})
