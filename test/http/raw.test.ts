import { setTimeout as pause } from 'node:timers/promises'
import { apiKey, Webhook } from 'fusewire'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { key, mark, userDelete } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { type Listening, listen, post, raw, statuses } from '../support/raw.ts'

const ran: string[] = []
const log = keptLog()
const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log }).on(
  '*',
  { name: 'all', when: 'received' },
  ({ event }) => ran.push(event.type),
)
let at: Listening
beforeAll(async () => {
  at = await listen(webhook, (server) => {
    server.headersTimeout = 300
  })
})
afterAll(async () => {
  await at[Symbol.asyncDispose]()
  await webhook.stop()
  expect(log.text()).not.toContain(key)
  expect(log.text()).not.toContain(mark)
})
afterEach(() => void ran.splice(0))

const type = 'Content-Type: application/json'
const auth = `Authorization: ${key}`
const length = (body: string) => `Content-Length: ${Buffer.byteLength(body)}`
const good = () => {
  const body = userDelete()
  return post([type, auth, length(body)], body)
}
const chunked = (body: string) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`

/** What two readers could understand differently: one 400, then the connection goes. */
const malformed: Readonly<Record<string, (body: string) => string>> = {
  'a length and chunks': (body) =>
    post([type, auth, length(body), 'Transfer-Encoding: chunked'], chunked(body)),
  'chunks and a length': (body) =>
    post([type, auth, 'Transfer-Encoding: chunked', length(body)], chunked(body)),
  'two lengths that differ': (body) => post([type, auth, length(body), 'Content-Length: 1'], body),
  'two lengths that agree': (body) => post([type, auth, length(body), length(body)], body),
  'a length that is a list': (body) =>
    post([type, auth, `Content-Length: ${body.length}, ${body.length}`], body),
  'a negative length': (body) => post([type, auth, 'Content-Length: -1'], body),
  'a length in hex': (body) => post([type, auth, 'Content-Length: 0x10'], body),
  'a length with a plus': (body) => post([type, auth, 'Content-Length: +5'], body),
  'a length of 30 digits': (body) => post([type, auth, `Content-Length: ${'9'.repeat(30)}`], body),
  'a folded header': (body) => post([type, `Authorization:\r\n ${key}`, length(body)], body),
  'a header that goes on in the next line': (body) => post([type, auth, 'X-A: b\r\n c', length(body)], body),
  'a bare CR in a value': (body) => post([type, auth, 'X-A: b\rc', length(body)], body),
  'a NUL in a value': (body) => post([type, auth, 'X-A: b\0c', length(body)], body),
  'a NUL in a name': (body) => post([type, auth, 'X\0A: b', length(body)], body),
  'a space before the colon': (body) => post([type, auth, `Content-Length : ${body.length}`], body),
  'a header without colon': (body) => post([type, auth, 'nonsense', length(body)], body),
  'an empty name': (body) => post([type, auth, ': x', length(body)], body),
  'two Hosts': (body) => post(['Host: other', type, auth, length(body)], body),
  'no Host': (body) => post([type, auth, length(body)], body).replace('Host: localhost\r\n', ''),
  'chunks after something else': (body) =>
    post([type, auth, 'Transfer-Encoding: gzip, chunked'], chunked(body)),
  'chunks before something else': (body) =>
    post([type, auth, 'Transfer-Encoding: chunked, gzip'], chunked(body)),
  'chunks twice': (body) =>
    post([type, auth, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunked(body)),
  'an encoding that is no chunks': (body) =>
    post([type, auth, 'Transfer-Encoding: identity', length(body)], body),
  xchunked: (body) => post([type, auth, 'Transfer-Encoding: xchunked'], chunked(body)),
  'a chunk of no size': (body) => post([type, auth, 'Transfer-Encoding: chunked'], `z\r\n${body}`),
  'a chunk size with a sign': (body) => post([type, auth, 'Transfer-Encoding: chunked'], `+5\r\n${body}`),
  'a chunk longer than it says': (body) =>
    post([type, auth, 'Transfer-Encoding: chunked'], `1\r\n${body}\r\n0\r\n\r\n`),
  'two keys': (body) => post([type, auth, auth, length(body)], body),
  'two keys, the second wrong': (body) => post([type, auth, 'Authorization: wrong', length(body)], body),
  'two content types': (body) => post([type, 'Content-Type: text/plain', auth, length(body)], body),
  'no version': (body) => `POST /\r\n\r\n${body}`,
  'another protocol': () => 'SSH-2.0-OpenSSH_9.0\r\n\r\n',
  'a TLS hello': () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'HTTP/2': () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a method that is none': (body) => good().replace('POST', 'P\x01ST').concat(body),
}

/** Waits until the server has had its say. */
async function talk(
  text: string | Uint8Array,
  waitMs = 1000,
): Promise<{ received: string; closed: boolean }> {
  await using connection = await raw(at.port)
  connection.write(text)
  const closed = await Promise.race([connection.closed.then(() => true), pause(waitMs, false)])
  return { received: connection.received(), closed }
}

describe('over a socket', () => {
  test.each(Object.entries(malformed))('%s: 400, closed, nothing ran', async (_, text) => {
    const { received, closed } = await talk(text(userDelete()), 3000)
    expect(statuses(received)).toEqual([400])
    expect(closed).toBe(true)
    expect(ran).toEqual([])
    if (!received.includes('Transfer-Encoding: chunked\r\nContent-Type: text/html'))
      expect(received).not.toContain(mark)
  })

  test('headers over 8 KiB are 431', async () => {
    const { received, closed } = await talk(post([type, auth, `X-Long: ${'x'.repeat(9000)}`], ''))
    expect([statuses(received), closed]).toEqual([[431], true])
    expect(received).toContain('"[headersTooLarge]"')
  })

  test('headers that do not end are 408, closed', async () => {
    const { received, closed } = await talk('POST / HTTP/1.1\r\nHost: localhost\r\nX-A: b', 2000)
    expect([statuses(received), closed]).toEqual([[408], true])
  })

  test('a sender that was told 400 cannot keep its connection open', async () => {
    const before = await connections()
    const held = await Promise.all(Array.from({ length: 20 }, () => raw(at.port)))
    for (const connection of held) connection.write('nonsense\r\n\r\n')
    await Promise.all(held.map(({ closed }) => closed))
    await expect.poll(connections, { timeout: 2000 }).toBeLessThanOrEqual(before)
    for (const { socket } of held) socket.destroy()
  })

  test.each([
    ['a stranger', (body: string) => post([type, 'Authorization: x', length(body)], body)],
    ['what is not JSON', () => post([type, auth, 'Content-Length: 1'], '{')],
    ['what is not HTTP', () => 'nonsense\r\n\r\n'],
  ])('%s and then a good one, in one packet: each its own answer, or the connection goes', async (_, bad) => {
    const { received, closed } = await talk(bad(userDelete()) + good(), 400)
    const [first, second, ...more] = statuses(received)
    expect(first).toBeGreaterThanOrEqual(400)
    expect(more).toEqual([])
    if (second === undefined) expect(closed).toBe(true)
    else expect([second, ran]).toEqual([200, ['user.delete']])
  })

  test('what looks like a request inside a body is none', async () => {
    const body = good()
    const { received } = await talk(post([type, 'Authorization: x', length(body)], body), 300)
    expect([statuses(received), ran]).toEqual([[401], []])
  })

  test('three good ones in a row are answered in order', async () => {
    const { received } = await talk(good() + good() + good(), 300)
    expect([statuses(received), ran.length]).toEqual([[200, 200, 200], 3])
  })

  test('a good request keeps the connection for the next', async () => {
    await using connection = await raw(at.port)
    for (const answers of [[200], [200, 200]]) {
      connection.write(good())
      await expect.poll(() => statuses(connection.received())).toEqual(answers)
    }
  })

  test('a body that breaks off runs nothing and is no crash', async () => {
    for (const cut of [10, 300, 5000]) {
      await using connection = await raw(at.port)
      const request = good().replace(/Content-Length: \d+/, 'Content-Length: 9000')
      connection.write(request.slice(0, cut))
      await pause(20)
      connection.socket.resetAndDestroy()
    }
    await pause(50)
    expect(ran).toEqual([])
    expect(statuses((await talk(good(), 200)).received)).toEqual([200])
  })
})

describe('an answer before the body has ended', () => {
  const gigabytes = (more: string[]) => post([type, ...more, `Content-Length: ${2 * 1024 ** 3}`])

  test('a stranger with 2 GB is told 401, and closed when 32 MiB of it were read', async () => {
    await using connection = await raw(at.port)
    connection.write(gigabytes(['Authorization: x']))
    const piece = Buffer.alloc(64 * 1024, 'x')
    const pump = () => {
      while (connection.socket.writable && connection.socket.write(piece));
    }
    connection.socket.on('drain', pump)
    pump()
    await connection.closed
    // What the kernel's buffers took on the way was written, too, though never read.
    expect(connection.socket.bytesWritten).toBeGreaterThan(32 * 1024 ** 2)
    expect(connection.socket.bytesWritten).toBeLessThan(48 * 1024 ** 2)
  })

  test('a stranger who sends nothing of it is told 401 and closed after 2 s', async () => {
    const { received, closed } = await talk(gigabytes(['Authorization: x']), 8000)
    expect([statuses(received), closed]).toEqual([[401], true])
    expect(received).toMatch(/connection: close/i)
  })

  test('a stranger who goes on dripping is closed after 8 s', async () => {
    await using connection = await raw(at.port)
    connection.write(gigabytes(['Authorization: x']))
    const startedAt = performance.now()
    const drip = setInterval(() => connection.write('x'), 500)
    await connection.closed
    clearInterval(drip)
    expect(statuses(connection.received())).toEqual([401])
    expect(performance.now() - startedAt).toBeGreaterThan(7000)
  })

  test('a stranger still sending a small body reads the whole answer', async () => {
    for (let round = 0; round < 10; round++) {
      await using connection = await raw(at.port)
      connection.write(post([type, 'Authorization: x', 'Content-Length: 50000']))
      for (let sent = 0; sent < 5; sent++) {
        await pause(10)
        connection.write(Buffer.alloc(10_000, 'x'))
      }
      await connection.closed
      expect(connection.received()).toContain('{"errors":[{"code":"[notAuthorized]"}]}')
      expect(connection.socket.errored).toBeNull()
    }
  })

  test('too large is told before it is sent', async () => {
    const { received, closed } = await talk(gigabytes([auth]), 8000)
    expect([statuses(received), closed]).toEqual([[413], true])
  })
})

describe('Expect: 100-continue', () => {
  const asking = (more: string[], size = 100) =>
    post([type, 'Expect: 100-continue', ...more, `Content-Length: ${size}`])

  test.each([
    ['a stranger', ['Authorization: x'], 100, 401],
    ['a wrong media type', [auth, 'Content-Type: text/plain'], 100, 400],
    ['a body too large', [auth], 20_000_000, 413],
  ])('%s is never told to go on', async (_, more, size, status) => {
    const { received } = await talk(asking(more, size), 400)
    expect(statuses(received)).toEqual([status])
  })

  test('who may speak is told to go on, and answered', async () => {
    await using connection = await raw(at.port)
    const body = userDelete()
    connection.write(asking([auth], Buffer.byteLength(body)))
    await expect.poll(() => statuses(connection.received())).toEqual([100])
    connection.write(body)
    await expect.poll(() => statuses(connection.received())).toEqual([100, 200])
    expect(ran).toEqual(['user.delete'])
  })
})

async function connections(): Promise<number> {
  return new Promise((resolve, reject) => {
    at.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
