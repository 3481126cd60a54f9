import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Proxy, proxy } from '../chaos/postgres-proxy.ts'
import { anyServer, schema, type Server } from './server.ts'

const key = 'a key for these tests only'
const quiet = { info() {}, warn() {}, error() {} }

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** What keeps an import's event from a database through a way whose bytes are counted. */
async function importer(inbox: string, way: Proxy, gateTimeoutMs: number) {
  const url = new URL(server.url)
  url.hostname = '127.0.0.1'
  url.port = String(way.port)
  const webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: postgres(url.href, { schema: inbox }),
    bodyLimit: 32 * 1024 * 1024,
    gateTimeoutMs,
    log: quiet,
  })
  await webhook.start()
  const id = randomUUID()
  const users = Array.from({ length: 30_000 }, (_, n) => ({
    id: randomUUID(),
    email: `user${n}@example.com`,
  }))
  const event = { type: 'user.bulk.create', id, createInstant: Date.now(), tenantId: randomUUID(), users }
  const post = async (body: string) => {
    const headers = { 'content-type': 'application/json', authorization: key }
    const url = 'http://localhost/fusionauth-webhook'
    return (await webhook.fetch(new Request(url, { method: 'POST', headers, body }))).status
  }
  return { webhook, id, body: JSON.stringify({ event }), post }
}

test('an event of 30,000 users that was kept too late to be answered is a duplicate when it is sent again, and its megabytes are not', async () => {
  await using inbox = await schema(server)
  await using way = await proxy(Number(new URL(server.url).port || 5432))
  // Nothing of this size is kept in 50 ms.
  const { webhook, id, body, post } = await importer(inbox.name, way, 50)
  await using _stopped = webhook
  expect(await post(body)).toBe(503)
  await vi.waitFor(async () => expect(await webhook.inbox.get(id)).toBeDefined(), { timeout: 15_000 })

  const before = way.sent()
  expect(await post(body)).toBe(200)
  expect(way.sent() - before).toBeLessThan(body.length / 4)

  // The same key with other bytes is no duplicate: it is kept beside the first.
  await post(body.replace('user0@example.com', 'user0@example.org'))
  await vi.waitFor(
    async () => expect((await webhook.inbox.page({ state: 'conflict' })).items).toHaveLength(1),
    { timeout: 15_000 },
  )
}, 60_000)

test('while an event waits for the database, copies of it wait for the same answer and are not sent', async () => {
  await using inbox = await schema(server)
  await using way = await proxy(Number(new URL(server.url).port || 5432))
  const { webhook, id, body, post } = await importer(inbox.name, way, 2_000)
  await using _stopped = webhook
  await using rival = await connected(server.url)
  await rival.query(`begin; lock table ${inbox.name}.events in exclusive mode`)
  expect(await post(body)).toBe(503)
  // It is all on its way to the database by now.
  await vi.waitFor(() => expect(way.sent()).toBeGreaterThan(body.length), { timeout: 8_000 })

  const before = way.sent()
  expect(await post(body)).toBe(503)
  expect(way.sent() - before).toBeLessThan(body.length / 4)
  const [third] = await Promise.all([post(body), rival.query('commit')])

  expect([200, 503]).toContain(third) // In time, on a machine that is not too busy.
  await vi.waitFor(async () => expect(await post(body)).toBe(200), { timeout: 15_000 })
  expect(way.sent() - before).toBeLessThan(body.length / 4)
  expect(await webhook.inbox.get(id)).toBeDefined()
  expect((await webhook.inbox.page({ state: 'conflict' })).items).toEqual([])
}, 60_000)

async function connected(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client(url)
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
