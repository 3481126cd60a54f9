import { postgres } from 'fusewire/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { blocksOf } from '../docs/pages.ts'
import { inboxWith } from './inbox.ts'
import { anyServer, query, schema, type Server } from './server.ts'

/** The script of docs/scaling.md, for another schema and role. */
function roleScript(inbox: string, role: string): string {
  const [script] = blocksOf('docs/scaling.md').filter(({ tag }) => tag === 'sql')
  return script?.code.replaceAll('fusewire_node', role).replaceAll('fusewire', inbox) ?? ''
}

describe('a role with few rights', () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  async function roleOf(inbox: string): Promise<{ readonly url: string } & AsyncDisposable> {
    const role = `node_${inbox}`
    await query(server.url, roleScript(inbox, role))
    const url = new URL(server.url)
    url.username = role
    url.password = 'a password of its own'
    return {
      url: url.href,
      async [Symbol.asyncDispose]() {
        await query(server.url, `drop owned by ${role}`)
        await query(server.url, `drop role ${role}`)
      },
    }
  }

  test('does all that a node does', async () => {
    await using inbox = await inboxWith(server, 'a')
    await using role = await roleOf(inbox.name)
    await using node = postgres(role.url, { schema: inbox.name })
    await node.subscribe([{ handler: 'b', types: '*', ordering: 'lane' }])
    const now = Date.now()
    const events = [1, 2, 3, 4, 5, 6].map((n) =>
      arrival(String(n), { createInstant: now, lane: `lane ${n % 4}` }),
    )
    await node.append(events)
    await node.append([arrival('1', { createInstant: now, body: Buffer.from('another') })])
    await node.append([arrival('7', { createInstant: 1 })])
    await query(server.url, `select ${inbox.name}.make_partitions()`)

    await deliver(node, 'a')
    await deliver(node, 'b')

    await node.probe()
    expect(await node.known([arrival('2', { createInstant: now })])).toEqual([true])
    expect((await node.get(arrival('2', { createInstant: now }).key))?.deliveries).toHaveLength(2)
    await node.tend?.beat({ id: 'n', host: 'h', pid: 1, startedAt: 1, handlers: ['a'] })
    expect(await node.tend?.hold('prune', 'n', 1_000)).toBe(true)
    await node.tend?.leave('n')
    await node.tend?.record([{ at: 1, tookMs: 1, status: 400, outcome: 'refused' }])
    expect((await node.tend?.receipts({ limit: 9 }))?.items).toHaveLength(1)
    expect((await node.tend?.find({}, { limit: 9 }))?.items).toHaveLength(6)
    expect(await node.tend?.overview()).toMatchObject({ events: 6, aside: 2 })
  })

  test('cannot change the tables, empty them, or read beside them', async () => {
    await using inbox = await inboxWith(server, 'a')
    await using beside = await schema(server)
    await query(server.url, `create schema ${beside.name}; create table ${beside.name}.secrets (s text)`)
    await using role = await roleOf(inbox.name)
    for (const forbidden of [
      `drop table ${inbox.name}.events`,
      `truncate ${inbox.name}.events`,
      `alter table ${inbox.name}.events add column mine int`,
      `create table ${inbox.name}.mine (n int)`,
      `create function ${inbox.name}.mine() returns int language sql return 1`,
      `create or replace function ${inbox.name}.make_partitions() returns void language sql as 'select 1'`,
      `select * from ${beside.name}.secrets`,
      `create schema mine_${inbox.name}`,
      `copy ${inbox.name}.events to program 'true'`,
    ]) {
      await expect(query(role.url, forbidden), forbidden).rejects.toMatchObject({ code: '42501' })
    }
  })

  test('works on after the owner has changed the tables', async () => {
    await using inbox = await inboxWith(server, 'a')
    await using role = await roleOf(inbox.name)
    await query(server.url, `create table ${inbox.name}.later (n serial, note text)`)
    await query(role.url, `insert into ${inbox.name}.later (note) values ('as the role')`)
    await query(server.url, `drop table ${inbox.name}.later`)
  })
})

/** Every way a delivery may go. */
async function deliver(node: Engine, handler: string): Promise<void> {
  const { leases } = await node.claim([{ handler, limit: 9 }], 30_000)
  const [one, two, three, four] = leases
  if (!one || !two || !three || !four) throw new Error(`leased ${leases.length}`)
  const failure = { at: 1, message: 'it failed' }
  expect(await node.renew([one], 30_000)).toEqual(['renewed'])
  expect(
    await node.settle([
      { lease: one, outcome: { kind: 'succeeded' } },
      { lease: two, outcome: { kind: 'retry', afterMs: 60_000, failure } },
      { lease: three, outcome: { kind: 'dead', reason: 'permanent', failure } },
    ]),
  ).toEqual(['settled', 'settled', 'settled'])
  expect(await node.atomic?.(four, () => Promise.resolve())).toBe('settled')
  await node.release((await node.claim([{ handler, limit: 9 }], 30_000)).leases)
}
