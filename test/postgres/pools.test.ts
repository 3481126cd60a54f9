import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { request } from 'fusewire/testing'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { arrival } from '../../src/testing/arrival.ts'
import { anyServer, query, schema, type Server } from './server.ts'

const key = 'a key for these tests only'

describe('a pool that was given', () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('may have a single connection: events are kept, gated, handled, drained and pruned', async () => {
    await using inbox = await schema(server)
    const pool = new Pool({ connectionString: server.url, max: 1 })
    const handled: string[] = []
    const webhook = new Webhook({ authenticate: apiKey(key), inbox: postgres(pool, { schema: inbox.name }) })
    webhook.gate('user.update', () => {})
    webhook.on('user.update.complete', { name: 'plain' }, ({ event }) => handled.push(event.id ?? ''))
    webhook.on('user.update.complete', { name: 'atomic', atomic: true }, async ({ sql }) => {
      await sql.query('select 1')
    })
    const post = async (type: 'user.update' | 'user.update.complete', id: string) =>
      (await webhook.fetch(request(type, { id }, { apiKey: key }))).status
    await webhook.start()

    const ids = Array.from({ length: 20 }, () => randomUUID())
    const statuses = await Promise.all(ids.map((id) => post('user.update.complete', id)))
    expect(statuses).toEqual(ids.map(() => 200))
    expect(await post('user.update', randomUUID())).toBe(200)
    await vi.waitFor(() => expect(handled.toSorted()).toEqual(ids.toSorted()), { timeout: 10_000 })
    expect(await webhook.drain({ withinMs: 10_000 })).toMatchObject({ remaining: 0 })
    expect(await webhook.inbox.prune({ before: new Date(Date.now() + 60_000) })).toMatchObject({ events: 21 })
    await webhook.stop()
    await pool.end()
  })

  test('lends an append two connections at most, however many arrivals of a batch conflict with known events', async () => {
    await using inbox = await schema(server)
    const pool = new Pool({ connectionString: server.url, max: 16 })
    await using engine = postgres(pool, { schema: inbox.name })
    const events = (body: string) =>
      Array.from({ length: 100 }, (_, n) => arrival(String(n), { body: Buffer.from(`${body} ${n}`) }))
    expect(await engine.append(events('first'))).toEqual(events('first').map(() => 'stored'))
    expect(await engine.append(events('other'))).toEqual(events('other').map(() => 'conflict'))
    expect(pool.totalCount).toBeLessThanOrEqual(2)
    await engine[Symbol.asyncDispose]()
    await pool.end()
  })

  test('needs no error listener of its owner: ours is there until the inbox is closed', async () => {
    await using inbox = await schema(server)
    const pool = new Pool({ connectionString: server.url, application_name: inbox.name })
    const engine = postgres(pool, { schema: inbox.name })
    await engine.open()
    expect(pool.idleCount).toBe(1)

    // Without a listener this would be an uncaught error, by which vitest fails.
    await query(
      server.url,
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
      [inbox.name],
    )
    await vi.waitFor(() => expect(pool.totalCount).toBe(0))

    expect(await engine.append([arrival('1')])).toEqual(['stored'])
    await engine[Symbol.asyncDispose]()
    expect(pool.listenerCount('error')).toBe(0)
    expect(pool.listenerCount('connect')).toBe(0)
    await pool.end()
  })
})
