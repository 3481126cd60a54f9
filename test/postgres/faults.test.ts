import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { postgres, type PostgresSql } from 'fusewire/postgres'
import type { Engine } from '../../src/model/engine.ts'
import { codeOf } from '../../src/lib/code-of.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { inboxWith } from './inbox.ts'
import { type OwnServer, ownServer, query } from './server.ts'

describe('postgres, when a statement or a connection fails', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await ownServer({ max_connections: '60' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('goes on when all its connections are cut, and hears other nodes again', async () => {
    await using inbox = await inboxWith(server, 'a')
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

  test('speaks its own mind under hostile defaults: serializable, and not durable', async () => {
    await using inbox = await inboxWith(server, 'a')
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

  test('waits out statement timeouts', async () => {
    await using inbox = await inboxWith(server, 'a')
    await using _defaults = await roleDefaults(server.url, { statement_timeout: '200ms' })
    await using rival = await connected(server.url)
    await rival.query(`begin; lock table ${inbox.name}.events in exclusive mode`)
    const append = inbox.engine.append([arrival('1')])
    const first = await waitingSince(server.url, rival)
    await vi.waitUntil(async () => (await waitingSince(server.url, rival)) > first, {
      timeout: 5_000,
      interval: 20,
    })
    await rival.query('commit')
    expect(await append).toEqual(['stored'])
  })

  test('settles again after a deadlock', async () => {
    await using inbox = await inboxWith(server, 'a')
    const { engine, name } = inbox
    await engine.append(['1', '2'].map((id) => arrival(id, { lane: id })))
    const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
    const [first, last] = await query(server.url, `select lane from ${name}.heads order by handler, lane`)
    const lock = `select from ${name}.heads where lane = $1 for update`

    // Settle locks the first lane and waits for the last; the rival goes the other way round, and is the more patient.
    await using rival = await connected(server.url)
    await rival.query(`begin; set local deadlock_timeout = '10s'`)
    await rival.query(lock, [last?.['lane']])
    const settling = engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    await waitingSince(server.url, rival)
    const before = await deadlocks(server.url)
    await rival.query(lock, [first?.['lane']])
    await rival.query('rollback')

    expect(await settling).toEqual(['settled', 'settled'])
    await vi.waitFor(async () => expect(await deadlocks(server.url)).toBe(before + 1), { timeout: 5_000 })
  })

  test.each([
    ['40001', 'a serialization failure'],
    ['40P01', 'a deadlock'],
    ['57014', 'a statement timeout'],
    ['55P03', 'a lock that is not available'],
    ['53200', 'no memory'],
    ['57P01', 'an administrator who ends the connection'],
  ])('appends again after %s, %s', async (code) => {
    await using inbox = await inboxWith(server, 'a')
    await query(
      server.url,
      `
      create sequence ${inbox.name}.times; -- What it counts stays counted.
      create function ${inbox.name}.fail() returns trigger language plpgsql as $$
      begin
        if nextval('${inbox.name}.times') <= 3 then raise exception 'so we test' using errcode = '${code}'; end if;
        return new;
      end $$;
      create trigger fail before insert on ${inbox.name}.intake for each row execute function ${inbox.name}.fail()
      `,
    )
    expect(await inbox.engine.append([arrival('1')])).toEqual(['stored'])
    expect(await query(server.url, `select last_value::int from ${inbox.name}.times`)).toEqual([
      { last_value: 4 },
    ])
    expect((await inbox.engine.stats()).events).toBe(1)
  })

  test('undoes an atomic handler that runs into a serialization failure, and lets it run again', async () => {
    await using inbox = await inboxWith(server, 'a')
    const { engine, name } = inbox
    await query(
      server.url,
      `create table ${name}.counter (n int not null); insert into ${name}.counter values (0)`,
    )
    await engine.append(['1', '2'].map((id) => arrival(id, { lane: id })))
    const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
    let started = 0
    const both = Promise.withResolvers<void>()
    const count = async (sql: unknown) => {
      const transaction = sql as PostgresSql // What this engine gives its atomic handlers.
      const ask = transaction.query.bind(transaction)
      await ask('set transaction isolation level serializable')
      const { rows } = (await ask(`select n from ${name}.counter`)) as { rows: { n: number }[] } // As it was made.
      if (++started === 2) both.resolve()
      await both.promise
      await ask(`update ${name}.counter set n = $1`, [(rows[0]?.n ?? 0) + 1])
    }

    const ends = await Promise.allSettled(leases.map(async (lease) => engine.atomic?.(lease, count)))

    const failed = ends.flatMap((end, i) => (end.status === 'rejected' ? [{ end, lease: leases[i] }] : []))
    expect(failed.map(({ end }) => codeOf(end.reason))).toEqual(['40001'])
    for (const { lease } of failed) expect(lease && (await engine.atomic?.(lease, count))).toBe('settled')
    expect(await query(server.url, `select n from ${name}.counter`)).toEqual([{ n: 2 }])
  })

  test('waits for a connection when the server has none left', async () => {
    await using inbox = await inboxWith(server, 'a')
    const own = new Pool({ connectionString: server.url, max: 4 })
    const refusals: unknown[] = []
    await using engine = postgres(
      {
        connect: () =>
          own.connect().catch((error: unknown) => {
            refusals.push(codeOf(error))
            throw error
          }),
      },
      { schema: inbox.name },
    )
    await cut(server.url)
    await using greedy = new AsyncDisposableStack()
    for (;;) {
      const client = await connected(server.url).catch(() => undefined)
      if (client === undefined) break
      greedy.use(client)
    }
    const append = engine.append([arrival('1')])
    await vi.waitFor(() => expect(refusals).toContain('53300'), { interval: 5 })
    await greedy[Symbol.asyncDispose]()
    expect(await append).toEqual(['stored'])
    await own.end()
  })

  test('gives up in time when the trouble lasts', async () => {
    await using inbox = await inboxWith(server, 'a')
    await server.stop()
    const before = performance.now()
    await expect(inbox.engine.append([arrival('1')])).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    // Its pauses are 1.4 s, and FusionAuth waits for two; the rest is what a busy machine takes to refuse.
    expect(performance.now() - before).toBeLessThan(4_000)
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

/** When the engine's statement that now waits for a lock of this client's began, as soon as one does. */
async function waitingSince(url: string, client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return vi.waitUntil(
    async () => {
      const [row] = await query(
        url,
        `
        select extract(epoch from query_start)::float8 as since from pg_stat_activity
        where application_name = 'fusewire' and $1 = any (pg_blocking_pids(pid))
        `,
        [rows[0]?.pid],
      )
      return row && Number(row['since'])
    },
    { timeout: 5_000, interval: 10 },
  )
}

async function deadlocks(url: string): Promise<number> {
  const [row] = await query(
    url,
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  )
  return Number(row?.['deadlocks'])
}

async function connected(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client(url)
  client.on('error', () => {})
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
