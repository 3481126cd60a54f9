import { request as httpRequest } from 'node:http'
import { Agent } from 'node:http'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { serve } from 'fusewire/node'
import { memory, sample } from 'fusewire/testing'
import { internals } from '../../src/webhook/webhook-internals.ts'
import { raw, statuses } from '../support/raw.ts'

const key = 'the key of this test'
const log = { info: () => {}, warn: () => {}, error: () => {} }

function newWebhook() {
  return new Webhook({ authenticate: apiKey(key), inbox: 'none', log })
}

/** Sends an event with the request target exactly as given, which fetch would tidy up. */
function post(port: number, target: string, agent: Agent | false = false): Promise<number> {
  const body = JSON.stringify({ event: sample('user.create.complete') })
  const headers = {
    authorization: key,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path: target, method: 'POST', headers, agent },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

test.each([
  ['/hook', 200],
  ['/hook?from=fusionauth', 200],
  ['http://elsewhere.example/hook', 200],
  ['//hook', 404],
  ['//evil/hook', 404],
  ['/hook/', 404],
  ['/Hook', 404],
  ['/', 404],
])('serves %s with %i', async (target, status) => {
  await using server = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1', path: '/hook' })
  expect(await post(Number(new URL(server.url).port), target)).toBe(status)
})

test('says which port is taken', async () => {
  await using first = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1' })
  const { port } = new URL(first.url)
  await expect(serve(newWebhook(), { port: Number(port), hostname: '127.0.0.1' })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('starts nothing on a port that is taken: the webhook can be served on another', async () => {
  await using first = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1' })
  const { port } = new URL(first.url)
  let started = 0
  const webhook = newWebhook()
  const counting = {
    fetch: webhook.fetch,
    [internals]: webhook[internals],
    start: () => Promise.resolve(started++),
    stop: () => webhook.stop(),
  }
  await expect(serve(counting, { port: Number(port), hostname: '127.0.0.1' })).rejects.toThrow()
  expect(started).toBe(0)
  await using second = await serve(counting, { port: 0, hostname: '127.0.0.1', path: '/hook' })
  expect(started).toBe(1)
  expect(await post(Number(new URL(second.url).port), '/hook')).toBe(200)
})

test('listens no more when a secret is missing', async () => {
  await using free = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1' })
  const port = Number(new URL(free.url).port)
  await free.stop()
  const webhook = new Webhook({ authenticate: apiKey(() => undefined), inbox: 'none', log })
  await expect(serve(webhook, { port, hostname: '127.0.0.1' })).rejects.toMatchObject({
    code: 'FW_KEY_MISSING',
  })
  await expect(post(port, '/fusionauth-webhook')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('lets a request under way end before it stops', async () => {
  const { promise: end, resolve: letEnd } = Promise.withResolvers<void>()
  const { promise: begun, resolve: tellBegun } = Promise.withResolvers<void>()
  const webhook = newWebhook()
  webhook.on('user.create.complete', async () => {
    tellBegun()
    await end
  })
  const server = await serve(webhook, { port: 0, hostname: '127.0.0.1', path: '/hook' })
  const answered = post(Number(new URL(server.url).port), '/hook')
  await begun
  const stopped = server.stop()
  letEnd()
  expect(await answered).toBe(200)
  await stopped
  await expect(post(Number(new URL(server.url).port), '/hook')).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})

test('tells the sender of a request that was under way not to come back by its connection', async () => {
  const { promise: end, resolve: letEnd } = Promise.withResolvers<void>()
  const { promise: begun, resolve: tellBegun } = Promise.withResolvers<void>()
  const webhook = newWebhook()
  webhook.on('user.create.complete', async () => {
    tellBegun()
    await end
  })
  const server = await serve(webhook, { port: 0, hostname: '127.0.0.1', path: '/hook' })
  const agent = new Agent({ keepAlive: true })
  const answered = post(Number(new URL(server.url).port), '/hook', agent)
  await begun
  const stopped = server.stop()
  letEnd()
  expect(await answered).toBe(200)
  await stopped
  expect(Object.keys(agent.freeSockets)).toEqual([])
  agent.destroy()
})

test('waits 3 s, no longer, for a connection that never said anything, and for one whose headers never end', async () => {
  const server = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1', path: '/hook' })
  const port = Number(new URL(server.url).port)
  await using silent = await raw(port)
  await using slow = await raw(port)
  slow.write('POST /hook HTTP/1.1\r\nHost: a')
  const startedAt = performance.now()
  await server.stop()
  await Promise.all([silent.closed, slow.closed])
  expect(performance.now() - startedAt).toBeLessThan(4500)
})

test('SIGTERM lets a request under way end, then the process', async () => {
  const script = `
    import { apiKey, Webhook } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url))}
    import { serve } from ${JSON.stringify(new URL('../../src/http/node.ts', import.meta.url))}
    const webhook = new Webhook({ authenticate: apiKey(${JSON.stringify(key)}), inbox: 'none' })
    webhook.on('user.create.complete', async () => {
      process.stdout.write('begun\\n')
      await new Promise((resolve) => setTimeout(resolve, 300))
    })
    const { url } = await serve(webhook, { port: 0, hostname: '127.0.0.1', path: '/hook' })
    process.stdout.write(url + '\\n')`
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [url] = await once(child.stdout, 'data')
  const answered = post(Number(new URL(String(url)).port), '/hook')
  await once(child.stdout, 'data')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await answered).toBe(200)
  expect(await exited).toEqual([0, null])
})

test('a dripping request and a handler that hangs share one deadline', async () => {
  const { promise: begun, resolve: tellBegun } = Promise.withResolvers<void>()
  const aborted: unknown[] = []
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: memory(), log })
  webhook.on('user.create.complete', async ({ signal }) => {
    signal.addEventListener('abort', () => aborted.push(signal.reason))
    tellBegun()
    await new Promise(() => {})
  })
  const server = await serve(webhook, { port: 0, hostname: '127.0.0.1', path: '/hook', stopWithinMs: 3_000 })
  const port = Number(new URL(server.url).port)
  expect(await post(port, '/hook')).toBe(200)
  await begun
  await using slow = await raw(port)
  slow.write(
    `POST /hook HTTP/1.1\r\nHost: a\r\nAuthorization: ${key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`,
  )
  const drip = setInterval(() => slow.write(' '), 300)
  const startedAt = performance.now()
  await server.stop()
  clearInterval(drip)
  expect(performance.now() - startedAt).toBeLessThan(6_000)
  expect(aborted).toHaveLength(1)
})

test('while it stops, a request that was under way is still kept', async () => {
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: memory(), log })
  webhook.on('user.create.complete', () => {})
  const server = await serve(webhook, { port: 0, hostname: '127.0.0.1', path: '/hook' })
  await using slow = await raw(Number(new URL(server.url).port))
  const body = JSON.stringify({ event: sample('user.create.complete') })
  const head = `POST /hook HTTP/1.1\r\nHost: a\r\nAuthorization: ${key}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  slow.write(head + body.slice(0, 10))
  await new Promise((resolve) => setTimeout(resolve, 100)) // Its head has arrived.
  const stopped = server.stop()
  slow.write(body.slice(10))
  await expect.poll(() => statuses(slow.received())).toEqual([200])
  await stopped
})
