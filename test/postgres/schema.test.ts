import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { postgres } from 'fusewire/postgres'
import { migrate, type Migration, migrations } from '../../src/engines/postgres/schema.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { inboxWith } from './inbox.ts'
import { rowsRead } from './rows-read.ts'
import { anyServer, query, schema, type Server } from './server.ts'

const weekMs = 7 * 24 * 60 * 60_000
/** The versions that this code makes. */
const ours = migrations.map((_, index) => index + 1)

describe("postgres's tables", () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('are made once when many nodes start together', async () => {
    await using inbox = await schema(server)
    const nodes = Array.from({ length: 8 }, () => postgres(server.url, { schema: inbox.name }))
    await Promise.all(nodes.map((node) => node.open()))
    expect(await versions(inbox.name)).toEqual(ours)
    for (const node of nodes) await node[Symbol.asyncDispose]()
  })

  test('change while nodes of the version before work on', async () => {
    await using inbox = await inboxWith(server, 'a')
    const { engine } = inbox
    let stopping = false
    let delivered = 0
    const working = (async () => {
      for (let n = 0; !stopping; n++) {
        expect(await engine.append([arrival(String(n))])).toEqual(['stored'])
        const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], 30_000)
        await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
        delivered += leases.length
      }
    })()
    await vi.waitFor(() => expect(delivered).toBeGreaterThan(5), { timeout: 10_000 })

    // Two nodes of the next version start at once: the first expands, the second finds it done.
    const next = [...migrations, { worksSince: 1, sql: addColumn }]
    await Promise.all([migrateTo(inbox.name, next), migrateTo(inbox.name, next)])

    const before = delivered
    await vi.waitFor(() => expect(delivered).toBeGreaterThan(before + 5), { timeout: 5_000 })
    await using late = postgres(server.url, { schema: inbox.name })
    expect(await late.append([arrival('of an older node that starts now')])).toEqual(['stored'])
    stopping = true
    await working
    expect(await versions(inbox.name)).toEqual([...ours, ours.length + 1])
  })

  test('are refused to a node that cannot work beside what the newer ones need', async () => {
    await using inbox = await inboxWith(server, 'a')
    await migrateTo(inbox.name, [...migrations, { worksSince: ours.length + 1, sql: addColumn }])
    await using refused = postgres(server.url, { schema: inbox.name })
    await expect(refused.open()).rejects.toMatchObject({ code: 'FW_INBOX_NEWER' })
  })

  test('stay as they were when a change fails', async () => {
    await using inbox = await inboxWith(server, 'a')
    const wrong = { worksSince: 1, sql: (name: string) => `alter table ${name}.nobody add column more int` }
    await expect(
      migrateTo(inbox.name, [...migrations, { worksSince: 1, sql: addColumn }, wrong]),
    ).rejects.toMatchObject({ code: '42P01' })
    expect(await versions(inbox.name)).toEqual(ours)
    await migrateTo(inbox.name, [...migrations, { worksSince: 1, sql: addColumn }])
  })

  test('hold nobody up when a change has to wait for a long transaction', async () => {
    await using inbox = await inboxWith(server, 'a')
    const reader = new Client(server.url)
    await reader.connect()
    await reader.query(`begin; select count(*) from ${inbox.name}.events`)

    const change = migrateTo(inbox.name, [...migrations, { worksSince: 1, sql: addColumn }])
    await expect(change).rejects.toMatchObject({ code: '55P03' })

    expect(await inbox.engine.append([arrival('1')])).toEqual(['stored'])
    await reader.end()
    expect(await versions(inbox.name)).toEqual(ours)
  })

  async function migrateTo(inbox: string, wanted: readonly Migration[]): Promise<void> {
    const client = new Client(server.url)
    await client.connect()
    try {
      await migrate(Object.assign(client, { release() {} }), `"${inbox}"`, wanted)
    } finally {
      await client.end()
    }
  }

  async function versions(inbox: string): Promise<readonly unknown[]> {
    const rows = await query(server.url, `select version from ${inbox}.migrations order by version`)
    return rows.map(({ version }) => version)
  }

  test('take events of any instant, and find them again when their week has come', async () => {
    await using inbox = await schema(server)
    await using engine = postgres(server.url, { schema: inbox.name })
    await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
    const soon = Date.now() + 10 * weekMs
    const instants = [0, 1, Date.now(), soon, Number.MAX_SAFE_INTEGER, -1]
    const events = instants.map((createInstant) => arrival('1', { createInstant, source: 'manual' }))
    expect(await engine.append(events)).toEqual(events.map(() => 'stored'))

    await query(
      server.url,
      `create or replace function ${inbox.name}.now() returns bigint language sql stable return ${soon}::bigint`,
    )
    await query(server.url, `select ${inbox.name}.make_partitions()`)

    expect(await engine.append(events)).toEqual(events.map(() => 'duplicate'))
    const { leases } = await engine.claim([{ handler: 'a', limit: 99 }], 1_000)
    expect(leases.map(({ event }) => event.key.createInstant)).toEqual(instants)
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    for (const { key } of events) expect((await engine.get(key))?.deliveries[0]?.state).toBe('succeeded')
    const [left] = await query(server.url, `select count(*)::int as count from ${inbox.name}.events_default`)
    expect(left).toEqual({ count: 4 })
  })

  test('are asked by index alone, whatever the statistics say', async () => {
    await using inbox = await schema(server)
    const pool = new Pool({ connectionString: server.url, max: 1 })
    await using engine = postgres(pool, { schema: inbox.name })
    await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
    const fill = (count: number, at: number) =>
      engine.append(
        Array.from({ length: count }, (_, i) =>
          arrival(`${at}/${i}`, { createInstant: at + (i % 3), lane: `${i % 700}` }),
        ),
      )
    const cycle = async () => {
      const { leases } = await engine.claim([{ handler: 'a', limit: 100 }], 30_000)
      await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    }
    const now = Date.now()
    await fill(8, now)
    for (let turn = 0; turn < 8; turn++) await cycle()
    await query(server.url, 'analyze') // Everything is empty now, as far as the planner will know.
    for (let batch = 1; batch <= 6; batch++) await fill(1_000, now + batch * 10)
    const before = await rowsRead(pool, inbox.name)

    for (let turn = 0; turn < 10; turn++) await cycle()
    await fill(100, now + 100)
    await fill(100, now + 100)

    // Thousands are admitted, a thousand claimed and settled; some tables are asked twice.
    const read = (await rowsRead(pool, inbox.name)) - before
    expect(read).toBeGreaterThan(10_000)
    expect(read).toBeLessThan(150_000) // 54,000; and 713,000 with joins the planner was free to turn round.
    await pool.end()
  })

  test('refuses a schema that is no plain name', () => {
    for (const name of ['', 'a b', 'A', '1a', 'a"; drop', 'x'.repeat(48)]) {
      expect(() => postgres(server.url, { schema: name })).toThrow(
        expect.objectContaining({ code: 'FW_OPTION' }),
      )
    }
  })

  test('says what is wrong with a url', async () => {
    for (const [url, code] of [
      [undefined, 'FW_KEY_MISSING'],
      ['', 'FW_KEY_MISSING'],
      ['mysql://localhost', 'FW_OPTION'],
    ] as const) {
      await using literal = postgres(url)
      await expect(literal.open()).rejects.toMatchObject({ code })
      await using fetched = postgres(async () => url)
      await expect(fetched.open()).rejects.toMatchObject({ code })
    }
  })
})

/** What a version to come may add. */
const addColumn = (inbox: string) => `alter table ${inbox}.events add column later int not null default 0`
