import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { request } from 'fusewire/testing'
import { postgres, type PostgresSql } from '../../src/engines/postgres/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { type OwnServer, ownServer, query, schema } from './server.ts'

const quiet = { info() {}, warn() {}, error() {} }

describe('postgres in trouble', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await ownServer({ max_connections: '60' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  async function inboxWith(
    ...handlers: readonly string[]
  ): Promise<{ name: string; engine: Engine } & AsyncDisposable> {
    const { name, [Symbol.asyncDispose]: drop } = await schema(server)
    const engine = postgres(server.url, { schema: name })
    await engine.subscribe(handlers.map((handler) => ({ handler, types: '*', ordering: 'lane' })))
    return {
      name,
      engine,
      async [Symbol.asyncDispose]() {
        await engine[Symbol.asyncDispose]()
        await drop()
      },
    }
  }

  test('goes on when all its connections are cut, and hears other nodes again', async () => {
    await using inbox = await inboxWith('a')
    const { engine } = inbox
    using watching = engine.watch(() => {})
    void watching
    await vi.waitFor(async () => expect(await listeners(server.url)).toBe(1))
    const appending = Promise.all(
      Array.from({ length: 40 }, async (_, i) => engine.append([arrival(String(i))])),
    )
    for (let times = 0; times < 3; times++) {
      await cut(server.url)
      await sleep(20)
    }
    for (const [answer] of await appending) expect(answer).toMatch(/stored|duplicate/)
    expect((await engine.stats()).events).toBe(40)
    await vi.waitFor(async () => expect(await listeners(server.url)).toBe(1), { timeout: 5_000 })
  })

  test('answers 503 while the server is away, and works again by itself', async () => {
    await using inbox = await schema(server)
    await using webhook = new Webhook({
      authenticate: apiKey('a key for these tests only'),
      inbox: postgres(server.url, { schema: inbox.name }),
      log: quiet,
    })
    const handled: string[] = []
    webhook.on('user.update.complete', ({ event }) => handled.push(event.id ?? ''))
    await webhook.start()
    const post = (id: string) =>
      webhook.fetch(request('user.update.complete', { id }, { apiKey: 'a key for these tests only' }))
    const [before, after] = [randomUUID(), randomUUID()]
    expect((await post(before)).status).toBe(200)

    await server.stop()
    expect((await post(randomUUID())).status).toBe(503)
    expect((await post(randomUUID())).status).toBe(503)

    await server.start()
    await vi.waitFor(async () => expect((await post(after)).status).toBe(200), {
      timeout: 10_000,
      interval: 200,
    })
    await vi.waitFor(() => expect(handled).toEqual([before, after]), { timeout: 10_000 })
  })

  test('rides out a restart that is quick', async () => {
    await using inbox = await inboxWith('a')
    await server.stop()
    const append = inbox.engine.append([arrival('1')])
    await server.start()
    expect(await append).toEqual(['stored'])
  })

  test('keeps what it acknowledged when the server is killed, whatever the defaults of its role', async () => {
    await using inbox = await inboxWith('a')
    await using _defaults = await roleDefaults(server.url, { synchronous_commit: 'off' })
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 20 }, (_, i) => `${round}/${i}`)
      for (const id of ids) await inbox.engine.append([arrival(id)])
      await server.kill()
      await server.start()
      expect(await inbox.engine.known(ids.map((id) => arrival(id).key))).toEqual(ids.map(() => true))
    }
  })

  test('refuses on a standby, and works when it is promoted', async () => {
    await using inbox = await inboxWith('a')
    await server.stop()
    await server.start('standby')
    await expect(inbox.engine.append([arrival('1')])).rejects.toMatchObject({ code: '25006' })
    await expect(inbox.engine.probe()).rejects.toMatchObject({ code: '25006' })

    await query(server.url, 'select pg_promote()')

    await inbox.engine.probe()
    expect(await inbox.engine.append([arrival('1')])).toEqual(['stored'])
  })

  test('speaks its own mind under hostile defaults: serializable, and not durable', async () => {
    await using inbox = await inboxWith('a')
    await using other = postgres(server.url, { schema: inbox.name })
    await using _defaults = await roleDefaults(server.url, {
      default_transaction_isolation: 'serializable',
      synchronous_commit: 'off',
    })
    const nodes = [inbox.engine, other]
    const events = Array.from({ length: 60 }, (_, i) => arrival(String(i), { lane: String(i % 5) }))
    await Promise.all(events.map(async (event, i) => nodes[i % 2]?.append([event])))
    const shown: unknown[] = []

    async function deliver(engine: Engine): Promise<void> {
      while (shown.length < events.length) {
        const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
        for (const lease of leases) await engine.atomic?.(lease, show)
      }
    }
    async function show(sql: unknown): Promise<void> {
      const transaction = sql as PostgresSql // What this engine gives its atomic handlers.
      const { rows } = await transaction.query(
        `select current_setting('synchronous_commit') as a, current_setting('transaction_isolation') as b`,
      )
      shown.push(...rows)
    }
    await Promise.all(nodes.map(deliver))

    expect(shown).toEqual(events.map(() => ({ a: 'on', b: 'read committed' })))
  })

  test('waits out a statement timeout', async () => {
    await using inbox = await inboxWith('a')
    await using _defaults = await roleDefaults(server.url, { statement_timeout: '200ms' })
    await using rival = await connected(server.url)
    await rival.query(`begin; lock table ${inbox.name}.events in exclusive mode`)
    const append = inbox.engine.append([arrival('1')])
    await sleep(300)
    await rival.query('commit')
    expect(await append).toEqual(['stored'])
  })

  test('settles again after a deadlock', async () => {
    await using inbox = await inboxWith('a')
    const { engine, name } = inbox
    await engine.append([arrival('1', { lane: 'u' }), arrival('2', { lane: 'v' })])
    const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
    const [first, last] = await query(server.url, `select lane from ${name}.heads order by handler, lane`)
    const lock = `select from ${name}.heads where lane = $1 for update`

    // Settle locks the first lane and waits for the last; the rival goes the other way round, and is the more patient.
    await using rival = await connected(server.url)
    await rival.query(`begin; set local deadlock_timeout = '10s'`)
    await rival.query(lock, [last?.['lane']])
    const settling = engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    await sleep(100)
    await rival.query(lock, [first?.['lane']])
    await rival.query('rollback')

    expect(await settling).toEqual(['settled', 'settled'])
  })

  test('waits for a connection when the server has none left', async () => {
    await using inbox = await inboxWith('a')
    await cut(server.url)
    await sleep(50)
    const greedy: AsyncDisposable[] = []
    for (;;) {
      const client = await connected(server.url).catch(() => undefined)
      if (client === undefined) break
      greedy.push(client)
    }
    const append = inbox.engine.append([arrival('1')])
    await sleep(200)
    for (const client of greedy) await client[Symbol.asyncDispose]()
    expect(await append).toEqual(['stored'])
  })

  test('gives up in time when the trouble lasts', async () => {
    await using inbox = await inboxWith('a')
    await server.stop()
    const before = performance.now()
    await expect(inbox.engine.append([arrival('1')])).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(performance.now() - before).toBeLessThan(2_000)
    await server.start()
  })
})

/** What connections to come are given unless they say otherwise. Those there are end. */
async function roleDefaults(
  url: string,
  settings: Readonly<Record<string, string>>,
): Promise<AsyncDisposable> {
  for (const [name, value] of Object.entries(settings)) {
    await query(url, `alter role postgres set ${name} = '${value}'`)
  }
  await cut(url)
  return {
    async [Symbol.asyncDispose]() {
      await query(url, 'alter role postgres reset all')
      await cut(url)
    },
  }
}

async function cut(url: string): Promise<void> {
  await query(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fusewire'`,
  )
}

async function listeners(url: string): Promise<number> {
  return (await query(url, `select 1 from pg_stat_activity where query like 'listen %'`)).length
}

async function connected(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client(url)
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
