import { randomUUID } from 'node:crypto'
import { apiKey, Webhook } from 'fusewire'
import { request } from 'fusewire/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { postgres, type PostgresSql } from '../../src/engines/postgres/index.ts'
import { anyServer, query, schema, type Server } from './server.ts'

const key = 'a key for these tests only'
const quiet = { info() {}, warn() {}, error() {} }

describe('a fleet on one PostgreSQL', () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  function node(inbox: string): Webhook<ReturnType<typeof postgres>> {
    return new Webhook({
      authenticate: apiKey(key),
      inbox: postgres(server.url, { schema: inbox }),
      log: quiet,
    })
  }

  function userUpdated(user: string, id: string = randomUUID()): Request {
    return request(
      'user.update.complete',
      { id, createInstant: 1_800_000_000_000, linkedObjectId: user, user: { id: user } },
      { apiKey: key },
    )
  }

  test('delivers on one node what another received, in order, and a resend once', async () => {
    await using inbox = await schema(server)
    await using receiver = node(inbox.name)
    await using worker = node(inbox.name)
    const handled: string[] = []
    worker.on('user.update.complete', ({ event }) => handled.push(event.id ?? ''))
    await worker.start()

    const ids = Array.from({ length: 20 }, () => randomUUID())
    for (const id of [...ids, ...ids]) expect((await receiver.fetch(userUpdated('ada', id))).status).toBe(200)

    await vi.waitFor(() => expect(handled).toHaveLength(ids.length), { timeout: 5_000 })
    expect(handled).toEqual(ids)
  })

  test('wakes a worker of another node long before it would have looked by itself', async () => {
    await using inbox = await schema(server)
    await using receiver = node(inbox.name)
    await using worker = node(inbox.name)
    const waits: number[] = []
    let sentAt = 0
    worker.on('user.update.complete', () => waits.push(performance.now() - sentAt))
    await worker.start()
    for (let turn = 0; turn < 12; turn++) {
      sentAt = performance.now()
      await receiver.fetch(userUpdated('ada'))
      await vi.waitFor(() => expect(waits).toHaveLength(turn + 1), { timeout: 5_000, interval: 5 })
    }
    const [median = Infinity] = waits.toSorted((a, b) => a - b).slice(6)
    expect(median).toBeLessThan(250)
  })

  test('commits an atomic handler with its settlement, and undoes it whole', async () => {
    await using inbox = await schema(server)
    await using webhook = node(inbox.name)
    const todos = `${inbox.name}.todos`
    let failures = 0
    webhook.on('user.update.complete', { atomic: true }, async ({ event, sql }) => {
      await sql.query(`insert into ${todos} values ($1)`, [event.id])
      if (failures++ < 2) throw new Error('not yet')
    })
    await webhook.start()
    await query(server.url, `create table ${todos} (id text)`)

    await webhook.fetch(userUpdated('ada', 'the-one'))

    await vi.waitFor(async () => expect(await query(server.url, `select * from ${todos}`)).toHaveLength(1), {
      timeout: 15_000,
    })
    expect(failures).toBe(3)
    expect((await webhook.drain()).remaining).toBe(0)
    expect(await query(server.url, `select * from ${todos}`)).toHaveLength(1)
  })

  test('keeps an atomic handler inside its transaction', async () => {
    await using inbox = await schema(server)
    await using webhook = node(inbox.name)
    const refusals: unknown[] = []
    let escaped: PostgresSql | undefined
    webhook.on('user.update.complete', { atomic: true }, async ({ sql }) => {
      escaped = sql
      for (const text of ['commit', ' ROLLBACK', 'begin', 'start transaction']) {
        await sql.query(text).catch((error: unknown) => refusals.push(error))
      }
      await sql.query('savepoint mine')
      await sql.query('rollback to savepoint mine')
    })
    await webhook.fetch(userUpdated('ada'))
    expect(await webhook.drain()).toMatchObject({ succeeded: 1, remaining: 0 })
    expect(refusals).toHaveLength(4)
    await expect(escaped?.query('select 1')).rejects.toMatchObject({ code: 'FW_ATOMIC' })
  })

  test('leaves connections to the rest when every atomic handler is slow', async () => {
    await using inbox = await schema(server)
    await using webhook = node(inbox.name)
    let running = 0
    let most = 0
    webhook.on('user.update.complete', { atomic: true }, async ({ sql }) => {
      most = Math.max(most, ++running)
      await sql.query('select pg_sleep(0.3)')
      running--
    })
    await webhook.start()
    const users = Array.from({ length: 24 }, () => randomUUID())
    await Promise.all(users.map((user) => webhook.fetch(userUpdated(user))))
    await vi.waitFor(() => expect(running).toBeGreaterThan(4), { interval: 5 })

    const before = performance.now()
    expect((await webhook.fetch(userUpdated('ada'))).status).toBe(200)
    expect(performance.now() - before).toBeLessThan(250)

    await webhook.drain()
    expect(most).toBeLessThanOrEqual(10)
  })

  test('fans out to a handler of the newer code, whatever code receives', async () => {
    await using inbox = await schema(server)
    await using old = node(inbox.name)
    await using fresh = node(inbox.name)
    const handled: string[] = []
    old.on('user.update.complete', { name: 'old' }, () => handled.push('old'))
    fresh.on('user.update.complete', { name: 'fresh' }, () => handled.push('fresh'))
    await fresh.drain()
    await old.fetch(userUpdated('ada'))
    await old.drain()
    await fresh.drain()
    expect(handled.toSorted()).toEqual(['fresh', 'old'])
  })

  test('shows who is there, and what nobody runs any more', async () => {
    await using inbox = await schema(server)
    await using one = node(inbox.name)
    await using two = node(inbox.name)
    one.on('user.update.complete', { name: 'a' }, () => {})
    two.on('user.update.complete', { name: 'b' }, () => {})
    const shown = async () => {
      const { nodes, handlers } = await one.inbox.stats()
      return {
        runs: nodes.flatMap((there) => there.handlers).toSorted(),
        abandoned: handlers.filter(({ abandoned }) => abandoned).map(({ handler }) => handler),
      }
    }
    await Promise.all([one.start(), two.start()])
    await vi.waitFor(async () => expect(await shown()).toEqual({ runs: ['a', 'b'], abandoned: [] }))
    await two.stop()
    expect(await shown()).toEqual({ runs: ['a'], abandoned: ['b'] })
  })

  test('shares the work: two workers run what is due side by side', async () => {
    await using inbox = await schema(server)
    await using receiver = node(inbox.name)
    const handled = [0, 0]
    const workers = [0, 1].map((which) => {
      const webhook = node(inbox.name)
      webhook.on('user.update.complete', async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        handled[which] = (handled[which] ?? 0) + 1
      })
      return webhook
    })
    await Promise.all(workers.map((worker) => worker.drain()))
    const users = Array.from({ length: 200 }, () => randomUUID())
    await Promise.all(users.map((user) => receiver.fetch(userUpdated(user))))

    await Promise.all(workers.map((worker) => worker.drain()))

    expect(handled[0] ?? 0).toBeGreaterThan(20)
    expect(handled[1] ?? 0).toBeGreaterThan(20)
    expect((handled[0] ?? 0) + (handled[1] ?? 0)).toBe(200)
    for (const worker of workers) await worker.stop()
  })
})
