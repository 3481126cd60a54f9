import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { forward } from 'fusewire/server'
import { sample } from 'fusewire/testing'
import { rig } from './rig.ts'

const secret = `whsec_${Buffer.from('thirty-two bytes for these tests').toString('base64')}`
const another = `whsec_${Buffer.from('thirty-two bytes of another one.').toString('base64')}`

interface Endpoint extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Answers what has come, and nothing more. */
  leave(): Promise<void>
  /** What was sent to it, in order, with its headers. */
  readonly got: { readonly headers: IncomingMessage['headers']; readonly body: string }[]
}

/** A plain HTTP server. */
async function endpoint(
  answer: (response: ServerResponse, count: number) => void = (response) => response.end(),
  port = 0,
): Promise<Endpoint> {
  const got: Endpoint['got'] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      got.push({ headers: request.headers, body })
      answer(response, got.length)
    })
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const address = server.address() as AddressInfo // A listening TCP server has one.
  return {
    url: `http://127.0.0.1:${address.port}/events`,
    port: address.port,
    got,
    leave: () => new Promise((resolve) => void server.close(() => resolve())),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** A server that forwards to `url`, its retries as quick as those of an endpoint that comes back. */
function forwarding(url: string, given: Parameters<typeof forward>[1]['secret'] = secret) {
  return rig((webhook) => {
    webhook.on('*', { name: 'forward', when: 'received' }, forward(url, { secret: given }))
  })
}

function event(user: string, createInstant = Date.now()) {
  return sample('user.update.complete', {
    id: randomUUID(),
    createInstant,
    linkedObjectId: user,
    user: { id: user },
  })
}

test('an endpoint gets every event once and in order for each user, through outages, signed by Standard Webhooks', async () => {
  const verifier = new StandardWebhook(secret)
  const users = Array.from({ length: 5 }, () => randomUUID())
  const sent = Array.from({ length: 60 }, (_, n) => event(users[n % 5] ?? ''))
  const accepted: { id: string; user: string; message: string | undefined }[] = []

  // It goes wrong in every way an endpoint does: refuses, breaks off, answers a redirect, is not there at all.
  const flaky = (response: ServerResponse, count: number) => {
    response.setHeader('connection', 'close')
    if (count % 7 === 0) return void response.writeHead(503).end()
    if (count % 11 === 0) return void response.destroy()
    if (count % 13 === 0) return void response.writeHead(307, { location: '/elsewhere' }).end()
    const { headers, body } = current?.got[count - 1] ?? { headers: {}, body: '' }
    const verified = verifier.verify(body, headers as Record<string, string>) as {
      event: ReturnType<typeof event>
    }
    accepted.push({
      id: verified.event.id,
      user: String(verified.event.user.id),
      message: headers['webhook-id'] as string,
    })
    response.end('thank you')
  }
  let current: Endpoint | undefined = await endpoint(flaky)
  const { port, url } = current
  await using server = await forwarding(url)
  for (const one of sent.slice(0, 30)) expect(await server.send(one)).toBe(200)
  await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThan(5)
  await current.leave()
  current = undefined
  for (const one of sent.slice(30)) expect(await server.send(one)).toBe(200)
  current = await endpoint(flaky, port)
  await expect.poll(() => accepted.length, { timeout: 60_000, interval: 200 }).toBe(sent.length)
  await current[Symbol.asyncDispose]()

  expect(new Set(accepted.map(({ id }) => id)).size).toBe(sent.length)
  expect(new Set(accepted.map(({ message }) => message)).size).toBe(sent.length)
  for (const user of users) {
    const came = accepted.filter((one) => one.user === user).map(({ id }) => id)
    expect(came).toEqual(sent.filter((one) => one.user.id === user).map(({ id }) => id))
  }
}, 90_000)

test('the bytes arrive as FusionAuth sent them, under a key that stays the same from attempt to attempt', async () => {
  await using to = await endpoint((response, count) => void response.writeHead(count === 1 ? 500 : 204).end())
  await using server = await forwarding(to.url)
  const id = randomUUID()
  const body = `{ "event" : {"type":"made.up","id":"${id}","createInstant":${Date.now()},"expiry":9223372036854775807,"n":1e400,"s":"\\u0000\\ud800"}}\n`
  const response = await fetch(server.server.url, {
    method: 'POST',
    headers: {
      authorization: 'the key of these tests',
      'content-type': 'application/json',
      'x-secret': 'inbound',
    },
    body,
  })
  expect(response.status).toBe(200)
  await expect.poll(() => to.got.length).toBe(2)
  expect(to.got.map((one) => one.body)).toEqual([body, body])
  const ids = to.got.map(({ headers }) => headers['webhook-id'])
  expect(ids[0]).toBe(ids[1])
  expect(ids[0]).toMatch(/^[A-Za-z0-9:_-]+$/)
  expect(ids[0]).toContain(id)
  // Nothing of the inbound request goes along.
  expect(JSON.stringify(to.got[0]?.headers)).not.toMatch(/inbound|the key of these tests/)
})

test('while a secret is replaced, a receiver may have either', async () => {
  await using to = await endpoint()
  await using server = await forwarding(to.url, [secret, () => another])
  await server.send(event(randomUUID()))
  await expect.poll(() => to.got.length).toBe(1)
  const [{ headers, body } = { headers: {}, body: '' }] = to.got
  for (const one of [secret, another]) {
    expect(() => new StandardWebhook(one).verify(body, headers as Record<string, string>)).not.toThrow()
  }
  const stranger = new StandardWebhook(Buffer.from('a key that nobody has told').toString('base64'))
  expect(() => stranger.verify(body, headers as Record<string, string>)).toThrow()
})

test('an endless answer is cut, and its status counts', async () => {
  let closed = false
  await using to = await endpoint((response) => {
    response.on('close', () => (closed = true))
    response.writeHead(200)
    const flood = () => void (response.destroyed || (response.write('x'.repeat(65_536)), setImmediate(flood)))
    flood()
  })
  await using server = await forwarding(to.url)
  await server.send(event(randomUUID()))
  await expect.poll(() => closed).toBe(true)
  await expect.poll(async () => (await server.webhook.drain()).remaining).toBe(0)
  expect(to.got).toHaveLength(1)
})

test('an answer that switches protocols is a failure, at once', async () => {
  await using to = await endpoint(({ socket }) => {
    socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  })
  await using server = await forwarding(to.url)
  await server.send(event(randomUUID()))
  await expect.poll(() => server.log.text()).toContain('the event was not delivered')
})

describe('where it does not send', () => {
  test.each([
    ['plain http elsewhere', 'http://receiver.example/'],
    ['a name that only looks local', 'http://localhost.evil.example/'],
    ['a login in the URL', 'https://user:password@receiver.example/'],
    ['another scheme', 'file:///etc/passwd'],
    ['no URL', 'receiver'],
    ['link-local', 'https://169.254.169.254/latest'],
    ['link-local, mapped', 'https://[::ffff:169.254.169.254]/'],
    ['metadata over IPv6', 'https://[fd00:ec2::254]/'],
    ['link-local as a number', 'https://2852039166/'],
  ])('%s', (_, url) => {
    expect(() => forward(url, { secret })).toThrow(expect.objectContaining({ code: 'FW_OPTION' }))
  })

  test('a redirect is a failure, and is not followed', async () => {
    await using other = await endpoint()
    await using to = await endpoint((response) => void response.writeHead(302, { location: other.url }).end())
    await using server = await forwarding(to.url)
    await server.send(event(randomUUID()))
    await expect.poll(() => server.log.text()).toContain('redirects are not followed')
    expect(other.got).toEqual([])
  })
})

test.each([
  ['nothing', () => undefined, 'FW_KEY_MISSING'],
  ['a text that is none', 'secret', 'FW_KEY'],
  ['too short a key', `whsec_${Buffer.from('short').toString('base64')}`, 'FW_KEY'],
] as const)('does not send without a secret: %s', async (_, given, code) => {
  await using to = await endpoint()
  const run = async () => {
    const handle = forward(to.url, { secret: given })
    const signal = new AbortController().signal
    await handle({
      event: event('a'),
      body: Buffer.from('{}'),
      attempt: 1,
      isLastAttempt: false,
      idempotencyKey: 'a',
      receivedAt: 0,
      signal,
    })
  }
  await expect(run()).rejects.toMatchObject({ code })
  expect(to.got).toEqual([])
})
