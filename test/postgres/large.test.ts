import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { proxy } from '../chaos/postgres-proxy.ts'
import { anyServer, schema, type Server } from './server.ts'

const key = 'a key for these tests only'
const quiet = { info() {}, warn() {}, error() {} }

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('an event of 30,000 users that was kept too late to be answered is a duplicate when it is sent again, and its megabytes are not', async () => {
  await using inbox = await schema(server)
  await using way = await proxy(Number(new URL(server.url).port || 5432))
  const url = new URL(server.url)
  url.hostname = '127.0.0.1'
  url.port = String(way.port)
  await using webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: postgres(url.href, { schema: inbox.name }),
    bodyLimit: 32 * 1024 * 1024,
    gateTimeoutMs: 50, // Nothing of this size is kept as fast as that.
    log: quiet,
  })
  await webhook.start()
  const id = randomUUID()
  const users = Array.from({ length: 30_000 }, (_, n) => ({
    id: randomUUID(),
    email: `user${n}@example.com`,
  }))
  const event = { type: 'user.bulk.create', id, createInstant: Date.now(), tenantId: randomUUID(), users }
  const post = (body: string) =>
    webhook.fetch(
      new Request('http://localhost/fusionauth-webhook', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: key },
        body,
      }),
    )
  const body = JSON.stringify({ event })
  expect((await post(body)).status).toBe(503)
  await vi.waitFor(async () => expect(await webhook.inbox.get(id)).toBeDefined(), { timeout: 15_000 })

  const before = way.sent()
  expect((await post(body)).status).toBe(200)
  expect(way.sent() - before).toBeLessThan(body.length / 4)

  // The same key with other bytes is no duplicate: it is kept beside the first.
  await post(body.replace('user0@example.com', 'user0@example.org'))
  await vi.waitFor(
    async () => expect((await webhook.inbox.page({ state: 'conflict' })).items).toHaveLength(1),
    { timeout: 15_000 },
  )
}, 60_000)
