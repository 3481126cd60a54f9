import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { postgres, type PostgresOptions } from 'fusewire/postgres'
import { request } from 'fusewire/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { isInstalled, pgbouncer } from './pgbouncer.ts'
import { anyServer, schema, type Server } from './server.ts'

const key = 'a key for these tests only'

describe.each([
  ['session', {}],
  ['transaction', { prepare: false }],
] as const)('a fleet behind PgBouncer, which shares connections by %s', (mode, options) => {
  let server: Server
  let pooler: Server
  beforeAll(async () => {
    if (!isInstalled) return
    server = await anyServer()
    pooler = await pgbouncer(server, mode)
  })
  afterAll(async () => {
    await pooler?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  function node(inbox: string): Webhook<ReturnType<typeof postgres>> {
    const settings: PostgresOptions = { schema: inbox, ...options }
    return new Webhook({ authenticate: apiKey(key), inbox: postgres(pooler.url, settings) })
  }

  test('delivers on three nodes what two others received: all of it, in order, atomic handlers once', async ({
    skip,
  }) => {
    skip(!isInstalled, 'there is no pgbouncer on the path: apt-get install pgbouncer')
    await using inbox = await schema(server)
    await using nodes = new AsyncDisposableStack()
    const handled = new Map<string, string[]>()
    let written = 0
    const workers = [0, 1, 2].map(() => {
      const worker = nodes.use(node(inbox.name))
      worker.on('user.update.complete', { name: 'plain' }, ({ event }) => {
        handled.set(event.user.id, [...(handled.get(event.user.id) ?? []), event.id ?? ''])
      })
      worker.on('user.update.complete', { name: 'atomic', atomic: true }, async ({ sql }) => {
        await sql.query('select 1')
        written++
      })
      return worker
    })
    const receivers = [0, 1].map(() => nodes.use(node(inbox.name)))
    await Promise.all(workers.map((worker) => worker.start()))

    const users = Array.from({ length: 20 }, () => randomUUID())
    const sent = new Map<string, string[]>()
    await Promise.all(
      users.map(async (user) => {
        for (let n = 0; n < 10; n++) {
          const id = randomUUID()
          const event = { id, createInstant: 1_800_000_000_000, linkedObjectId: user, user: { id: user } }
          const answer = await receivers[n % 2]?.fetch(
            request('user.update.complete', event, { apiKey: key }),
          )
          expect(answer?.status).toBe(200)
          sent.set(user, [...(sent.get(user) ?? []), id])
        }
      }),
    )

    await vi.waitFor(() => expect(written).toBe(200), { timeout: 15_000 })
    await vi.waitFor(() => expect([...handled.values()].flat()).toHaveLength(200), { timeout: 15_000 })
    expect(handled).toEqual(new Map(sent))
  })
})
