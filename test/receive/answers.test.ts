import { apiKey, Webhook } from 'fusewire'
import { describe, expect, test } from 'vitest'
import { setTimeout as pause } from 'node:timers/promises'
import { door, type DoorOptions, good, key, userDelete } from '../support/door.ts'
import { rimNames, type Sending } from '../support/rims.ts'

interface Case {
  readonly name: string
  readonly sending: Sending | (() => Sending)
  readonly status: number
  /** The code in the answer. */
  readonly code?: string
  readonly options?: DoorOptions
}

const unauthorized = '{"errors":[{"code":"[notAuthorized]"}]}'
const limit = 8192
const padded = (size: number) => {
  const body = userDelete()
  return body + ' '.repeat(size - Buffer.byteLength(body))
}
async function* inPieces(body: string, size = 500): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(body)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
async function* stalled(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"event":')
  await pause(5000, undefined, { ref: false })
}

const without = (name: keyof typeof good) =>
  Object.fromEntries(Object.entries(good).filter(([other]) => other !== name))

const cases: readonly Case[] = [
  { name: 'a good request', sending: () => ({ headers: good, body: userDelete() }), status: 200 },
  {
    name: 'a good request in chunks',
    sending: () => ({ headers: good, body: inPieces(userDelete()) }),
    status: 200,
  },
  ...['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => ({
    name: method,
    sending: { method, headers: good },
    status: 405,
    ...(method !== 'HEAD' && { code: 'methodNotAllowed' }),
  })),
  {
    name: 'a wrong method from a stranger',
    sending: { method: 'GET' },
    status: 405,
    code: 'methodNotAllowed',
  },
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json2',
    'multipart/form-data',
    '',
    'json',
  ].map((type) => ({
    name: `Content-Type ${JSON.stringify(type)}`,
    sending: () => ({ headers: { ...good, 'content-type': type }, body: userDelete() }),
    status: 415,
    code: 'mediaType',
  })),
  {
    name: 'no Content-Type',
    sending: () => ({ headers: without('content-type'), body: Buffer.from(userDelete()) }),
    status: 415,
    code: 'mediaType',
  },
  ...['application/json;charset=UTF-8', 'Application/JSON ; charset=utf-8'].map((type) => ({
    name: `Content-Type ${type}`,
    sending: () => ({ headers: { ...good, 'content-type': type }, body: userDelete() }),
    status: 200,
  })),
  ...['gzip', 'br', 'identity, gzip'].map((encoding) => ({
    name: `Content-Encoding ${encoding}`,
    sending: () => ({ headers: { ...good, 'content-encoding': encoding }, body: userDelete() }),
    status: 415,
    code: 'contentEncoding',
  })),
  {
    name: 'Content-Encoding identity',
    sending: () => ({ headers: { ...good, 'content-encoding': 'Identity' }, body: userDelete() }),
    status: 200,
  },
  {
    name: 'no credentials',
    sending: () => ({ headers: without('authorization'), body: userDelete() }),
    status: 401,
  },
  ...['', 'wrong', key.slice(0, -1), `${key}0`, `Bearer ${key}`, key.toUpperCase(), `${key}, ${key}`].map(
    (wrong, index) => ({
      name: `a wrong key (${index})`,
      sending: () => ({ headers: { ...good, authorization: wrong }, body: userDelete() }),
      status: 401,
    }),
  ),
  {
    name: 'a stranger whose body is not JSON either',
    sending: { headers: { ...good, authorization: 'x' }, body: '{' },
    status: 401,
  },
  {
    name: 'a body at the limit',
    options: { bodyLimit: limit },
    sending: () => ({ headers: good, body: padded(limit) }),
    status: 200,
  },
  {
    name: 'a body one over the limit',
    options: { bodyLimit: limit },
    sending: () => ({ headers: good, body: padded(limit + 1) }),
    status: 413,
    code: 'tooLarge',
  },
  {
    name: 'chunks at the limit',
    options: { bodyLimit: limit },
    sending: () => ({ headers: good, body: inPieces(padded(limit)) }),
    status: 200,
  },
  {
    name: 'chunks one over the limit',
    options: { bodyLimit: limit },
    sending: () => ({ headers: good, body: inPieces(padded(limit + 1)) }),
    status: 413,
    code: 'tooLarge',
  },
  {
    name: 'a body that stalls',
    sending: () => ({ headers: good, body: stalled() }),
    status: 408,
    code: 'timeout',
  },
  { name: 'no body', sending: { headers: good }, status: 400, code: 'invalidJSON' },
]

describe.each(rimNames)('%s', (rim) => {
  test.each(cases)('answers $name with $status', async ({ sending, status, code, options }) => {
    await using at = await door(rim, options)
    const told = await at.send(typeof sending === 'function' ? sending() : sending)
    expect(told.status).toBe(status)
    if (code !== undefined) expect(told.body).toContain(`"[${code}]"`)
    if (status === 200) expect(at.ran).toEqual(['user.delete'])
    if (status === 401) expect(told.body).toBe(unauthorized)
    if (status === 405) expect(told.headers.get('allow')).toBe('POST')
  })

  test('says why in the log, in words, and once a second', async () => {
    await using at = await door(rim)
    for (let count = 0; count < 20; count++)
      await at.send({ headers: { ...good, authorization: `x${count}` }, body: '{}' })
    expect(at.log.lines.length).toBeLessThanOrEqual(2)
    expect(at.log.lines[0]).toMatchObject({
      level: 'warn',
      fields: { status: 401, reason: 'wrong key in authorization' },
    })
  })

  test('answers 503 with Retry-After once it is stopped', async () => {
    await using at = await door(rim)
    await at.webhook.stop()
    const told = await at.send({ headers: good, body: userDelete() })
    expect(told.status).toBe(503)
    expect(told.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('gives back the bytes in flight, however a request ends', async () => {
    await using at = await door(rim, { bodyLimit: 40 * 1024 * 1024 })
    const large = Buffer.alloc(30 * 1024 * 1024, ' ')
    for (const start of ['{', '{"event":1}', userDelete(), userDelete()]) {
      large.write(start)
      large.fill(' ', Buffer.byteLength(start), 4096)
      expect((await at.send({ headers: good, body: large })).status).not.toBe(503)
    }
  })
})

test('a log that throws costs no request its answer', async () => {
  const angry = () => {
    throw new Error('disk full')
  }
  const webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: 'none',
    log: { info: angry, warn: angry, error: angry },
  })
  webhook.on('user.delete', { when: 'received' }, angry)
  const ask = (headers: object) =>
    webhook.fetch(
      new Request('http://localhost/', {
        method: 'POST',
        headers: { ...good, ...headers },
        body: userDelete(),
      }),
    )
  expect((await ask({ authorization: 'wrong' })).status).toBe(401)
  expect((await ask({})).status).toBe(500)
})
