import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { request } from 'fusewire/testing'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Proxy, proxy } from '../chaos/postgres-proxy.ts'
import { anyServer, schema, type Server } from './server.ts'

const key = 'a key for these tests only'
const quiet = { info() {}, warn() {}, error() {} }

/** A second was asked for; a driver that gives up by itself takes more than ten. What lies between is the busy machine's. */
const soonMs = 5_000

describe.each([
  ['of its own', (url: string) => url],
  ['that was given', (url: string) => new Pool({ connectionString: url })],
])('with a pool %s, when the server says nothing any more', (_, poolOf) => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  function webhookBehind(way: Proxy, inbox: string): Webhook<ReturnType<typeof postgres>> {
    const url = new URL(server.url)
    url.hostname = '127.0.0.1'
    url.port = String(way.port)
    const webhook = new Webhook({
      authenticate: apiKey(key),
      inbox: postgres(poolOf(url.href), { schema: inbox }),
      log: quiet,
    })
    webhook.gate('user.update', () => {})
    webhook.on('user.update.complete', () => {})
    return webhook
  }

  function portOf(): number {
    return Number(new URL(server.url).port || 5432)
  }

  test('drain and stop end when they were told to', async () => {
    await using inbox = await schema(server)
    await using way = await proxy(portOf())
    const webhook = webhookBehind(way, inbox.name)
    await webhook.start()
    way.silence()

    const beforeDrain = performance.now()
    await expect(webhook.drain({ withinMs: 1_000 })).rejects.toMatchObject({ code: 'FW_INBOX_SILENT' })
    expect(performance.now() - beforeDrain).toBeLessThan(soonMs)

    const beforeStop = performance.now()
    await webhook.stop({ withinMs: 1_000 })
    expect(performance.now() - beforeStop).toBeLessThan(soonMs)
  })

  test('so does a drain, or a stop, whose inbox was never opened', async () => {
    await using inbox = await schema(server)
    await using way = await proxy(portOf())
    way.silence()
    const webhook = webhookBehind(way, inbox.name)

    const before = performance.now()
    await expect(webhook.drain({ withinMs: 1_000 })).rejects.toMatchObject({ code: 'FW_INBOX_SILENT' })
    await webhook.stop({ withinMs: 1_000 })
    expect(performance.now() - before).toBeLessThan(soonMs)
  })

  test('a gated event is answered 503 at its deadline, and the gate is not asked', async () => {
    await using inbox = await schema(server)
    await using way = await proxy(portOf())
    const webhook = webhookBehind(way, inbox.name)
    const post = () => webhook.fetch(request('user.update', { id: randomUUID() }, { apiKey: key }))
    await webhook.start()
    await vi.waitFor(async () => expect((await post()).status).toBe(200))
    way.silence()

    for (let n = 0; n < 3; n++) {
      const before = performance.now()
      expect((await post()).status).toBe(503)
      expect(performance.now() - before).toBeLessThan(soonMs)
    }
    await webhook.stop({ withinMs: 0 })
  })
})
