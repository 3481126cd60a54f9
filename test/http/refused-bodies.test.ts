import { serve as serveHono } from '@hono/node-server'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiKey, Webhook } from 'fusewire'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { good, key } from '../support/door.ts'
import { javaSenders } from '../support/java-senders.ts'
import { keptLog } from '../support/log.ts'
import { slowNetwork } from '../support/slow-network.ts'

const newWebhook = () =>
  new Webhook({ authenticate: apiKey(key), inbox: 'none', bodyLimit: 100_000, log: keptLog() })
const stranger = { ...good, authorization: 'x' }
const piece = 64 * 1024

/** A body of a host that tells what is done with it. */
interface Body {
  readonly request: Request
  readonly cancelled: () => boolean
  /** Bytes that were taken out of it. */
  readonly taken: () => number
}

function hostsBody(headers: Readonly<Record<string, string>>, totalBytes: number): Body {
  let cancelled = false
  let taken = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (taken >= totalBytes) return controller.close()
        taken += piece
        controller.enqueue(new Uint8Array(piece))
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  const request = new Request('http://localhost/', { method: 'POST', headers, body: stream, duplex: 'half' })
  return { request, cancelled: () => cancelled, taken: () => taken }
}

describe('webhook.fetch never cancels the body of a request that it refuses', () => {
  test.each([
    ['a stranger, before a byte was read', stranger, 401],
    ['a declared length over the limit', { ...good, 'content-length': '200000' }, 413],
    ['too many bytes, when some were read', good, 413],
  ])('%s: the rest is discarded, and the stream given back', async (_, headers, status) => {
    const body = hostsBody(headers, 1_000_000)
    const response = await newWebhook().fetch(body.request)
    expect(response.status).toBe(status)
    await expect.poll(() => body.request.body?.locked).toBe(false)
    expect(body.taken()).toBeGreaterThanOrEqual(1_000_000)
    expect(body.cancelled()).toBe(false)
  })

  test('at most 32 MiB are discarded', async () => {
    const body = hostsBody(stranger, Infinity)
    expect((await newWebhook().fetch(body.request)).status).toBe(401)
    await expect.poll(() => body.request.body?.locked, { timeout: 5000 }).toBe(false)
    expect(body.taken()).toBeGreaterThan(32 * 1024 ** 2)
    expect(body.taken()).toBeLessThanOrEqual(32 * 1024 ** 2 + 2 * piece)
    expect(body.cancelled()).toBe(false)
  })

  test('a body that falls silent is given back', async () => {
    const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) })
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers: stranger,
      body: silent,
      duplex: 'half',
    })
    expect((await newWebhook().fetch(request)).status).toBe(401)
    expect(request.body?.locked).toBe(true)
    await expect.poll(() => request.body?.locked, { timeout: 10_000 }).toBe(false)
  })

  test('a body that fails while it is discarded harms nothing', async () => {
    const failing = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('gone')),
    })
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers: stranger,
      body: failing,
      duplex: 'half',
    })
    expect((await newWebhook().fetch(request)).status).toBe(401)
    await expect.poll(() => request.body?.locked).toBe(false) // vitest fails on an unhandled rejection
  })
})

describe.each(javaSenders)('%s', (_, start) => {
  test.each([
    [401, 600_000, stranger],
    [401, 11_000_000, stranger],
    [413, 11_000_000, good],
  ])('reads %i of Hono for a body of %i bytes, having sent it once', async (status, bytes, headers) => {
    const app = new Hono()
    const webhook = newWebhook()
    app.post('/hook', (context) => webhook.fetch(context.req.raw))
    // By default it discards for 0.5 s, then cuts the connection.
    const options = { fetch: app.fetch, port: 0, hostname: '127.0.0.1', autoCleanupIncoming: false }
    const server = serveHono(options) as Server
    if (!server.listening) await once(server, 'listening')
    const { port } = server.address() as AddressInfo // A listening TCP server has one.
    await using network = await slowNetwork(`http://127.0.0.1:${port}/hook`)
    await using sender = await start(network.url)
    expect(await sender.post({ headers, body: Buffer.alloc(bytes, 'x') }).catch(String)).toBe(status)
    expect(network.connections).toBe(1)
    server.closeAllConnections()
    server.close()
  })
})
