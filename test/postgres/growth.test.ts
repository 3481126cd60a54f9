import { postgres } from 'fusewire/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../src/model/engine.ts'
import type { Pruned } from '../../src/model/tending.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { inboxWith } from './inbox.ts'
import { anyServer, query, type Server } from './server.ts'
import { setTime } from './time.ts'

const dayMs = 24 * 60 * 60_000

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('a week that was pruned is dropped; what waits, dead letters and keys outlive it', async () => {
  await using inbox = await inboxWith(server, 'a')
  const { engine, name, clock } = inbox
  await using beside = postgres(server.url, { schema: name }) // Another node, whose statements were planned before.
  const now = Date.now()
  await setTime(server.url, name, now)
  const event = (id: string, lane?: string) =>
    arrival(id, {
      createInstant: now,
      receivedAt: now,
      subjects: [id],
      body: Buffer.from(JSON.stringify({ id, filler: 'x'.repeat(6_000) })),
      ...(lane !== undefined && { lane }),
    })
  const settled = Array.from({ length: 4_000 }, (_, i) => event(`settled ${i}`))
  const [dead, waiting, behind] = [event('dead'), event('waiting', 'lane'), event('behind', 'lane')]
  await engine.append([dead, waiting, behind])
  const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], 30_000)
  await engine.settle(
    leases.map((lease) => ({
      lease,
      outcome:
        lease.event.key.id === 'dead'
          ? { kind: 'dead', reason: 'permanent' }
          : { kind: 'retry', afterMs: 90 * dayMs, failure: { at: now, message: 'not yet' } },
    })),
  )
  for (let n = 0; n < settled.length; n += 500) await engine.append(settled.slice(n, n + 500))
  await deliver(beside)
  const before = await bytes(name)

  await setTime(server.url, name, now + 60 * dayMs)
  await clock.advance(60 * dayMs)
  let pruned = 0
  for (let next: string | undefined = ''; next !== undefined;) {
    const step: Pruned | undefined = await engine.tend?.prune({}, next === '' ? undefined : next)
    pruned += step?.events ?? 0
    next = step?.next
  }
  expect(pruned).toBe(settled.length)
  const [compacted] = await query(server.url, `select ${name}.compact() as week`)
  expect(compacted?.['week']).toMatch(/^_\d{8}$/)

  expect(await bytes(name)).toBeLessThan(before / 5)
  expect(await query(server.url, `select ${name}.compact() as week`)).toEqual([{ week: null }])
  for (const node of [engine, beside]) {
    expect(await node.append(settled.slice(0, 50))).toEqual(settled.slice(0, 50).map(() => 'duplicate'))
    expect((await node.get(settled[0]?.key ?? dead.key))?.gone).toBe('pruned')
    expect(Buffer.from((await node.get(dead.key))?.body ?? [])).toEqual(dead.body)
    expect((await node.get(dead.key))?.deliveries[0]?.state).toBe('dead')
    expect((await node.tend?.find({ userId: 'waiting' }, { limit: 9 }))?.items).toHaveLength(1)
    expect((await node.stats()).events).toBe(3)
  }
  await setTime(server.url, name, now + 91 * dayMs)
  expect(await deliver(beside)).toEqual(['waiting', 'behind'])
  expect(await engine.append([event('late')])).toEqual(['stored'])
}, 60_000)

test('weeks are made ahead, and what comes of a week that is not there yet moves when it is', async () => {
  await using inbox = await inboxWith(server, 'a')
  const { engine, name } = inbox
  const week = 7 * dayMs
  const partitions = async () =>
    (
      await query(
        server.url,
        `select count(*)::int as n from pg_inherits where inhparent = '${name}.events'::regclass`,
      )
    )[0]
  const now = Date.now()
  expect(await partitions()).toEqual({ n: 6 }) // The last one, this one, three ahead, and the default.
  const future = Array.from({ length: 6 }, (_, i) => arrival('1', { createInstant: now + i * week }))
  expect(await engine.append(future)).toEqual(future.map(() => 'stored'))
  expect(await rows(name, 'events_default')).toBe(2)

  await setTime(server.url, name, now + 5 * week)
  await query(server.url, `select ${name}.make_partitions()`)

  expect(await rows(name, 'events_default')).toBe(0)
  expect(await partitions()).toEqual({ n: 11 })
  expect(await engine.append(future)).toEqual(future.map(() => 'duplicate'))
  expect((await deliver(engine)).length).toBe(6)
})

/** What it delivered. */
async function deliver(node: Engine): Promise<readonly string[]> {
  const delivered: string[] = []
  for (;;) {
    const { leases, nextInMs } = await node.claim([{ handler: 'a', limit: 500 }], 30_000)
    await node.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    delivered.push(...leases.map(({ event }) => event.key.id))
    if (leases.length === 0 && nextInMs !== 0) return delivered
  }
}

async function bytes(inbox: string): Promise<number> {
  const [row] = await query(
    server.url,
    `select sum(pg_total_relation_size(oid))::float8 as bytes from pg_class where relnamespace = '${inbox}'::regnamespace and relkind = 'r' and relname like 'events%'`,
  )
  return Number(row?.['bytes'])
}

async function rows(inbox: string, table: string): Promise<number> {
  const [row] = await query(server.url, `select count(*)::int as n from ${inbox}.${table}`)
  return Number(row?.['n'])
}
