import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgres } from '../../src/engines/postgres/index.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { anyServer, query, schema, type Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const events = 2_000
const people = 50

/** Appends events of 50 people and settles every delivery of handler `a`. */
async function appendSettled(engine: Engine): Promise<readonly string[]> {
  const ids = Array.from({ length: people }, () => randomUUID())
  const receivedAt = Date.now() - 60_000
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
  for (let done = 0; done < events; done += 500) {
    await engine.append(
      Array.from({ length: 500 }, (_, i) => {
        const person = ids[i % people] ?? ''
        return arrival(randomUUID(), {
          createInstant: receivedAt,
          receivedAt,
          lane: person,
          subjects: [person],
        })
      }),
    )
  }
  for (;;) {
    const { leases, nextInMs } = await engine.claim([{ handler: 'a', limit: 500 }], 30_000)
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    if (leases.length === 0 && nextInMs !== 0) return ids
  }
}

/** Deliveries that wait although the body of their event is gone. */
async function waitingWithoutBody(inbox: string): Promise<number> {
  const [row] = await query(
    server.url,
    `
    select count(*)::int as count from (
      select position, created from ${inbox}.intake
      union all select position, created from ${inbox}.parked
      union all select position, created from ${inbox}.heads
    ) d
    where not exists (
      select from ${inbox}.events e where e.position = d.position and e.created = d.created and e.body is not null
    )
    `,
  )
  return Number(row?.['count'])
}

test('a replay beside a prune makes no delivery whose event has no body', async () => {
  await using inbox = await schema(server)
  await using engine = postgres(server.url, { schema: inbox.name })
  await appendSettled(engine)
  const tended = createInbox(engine)

  const [{ deliveries }, pruned] = await Promise.all([
    tended.replay({ handler: 'a' }),
    tended.prune({ before: new Date() }),
  ])

  expect(await waitingWithoutBody(inbox.name)).toBe(0)
  expect(deliveries + pruned.events).toBe(events)
  expect((await engine.stats()).handlers[0]?.pending).toBe(deliveries)
}, 60_000)

test('a replay beside erasures makes no delivery whose event has no body', async () => {
  await using inbox = await schema(server)
  await using engine = postgres(server.url, { schema: inbox.name })
  const ids = await appendSettled(engine)
  const tended = createInbox(engine)
  let working = true
  const work = async () => {
    while (working) {
      const { leases } = await engine.claim([{ handler: 'a', limit: 20 }], 30_000)
      await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    }
  }
  const worker = work()

  // Five at a time: all at once would keep the pool's 16 connections from the worker.
  const eraseEveryFifth = async (first: number) => {
    for (const userId of ids.filter((_, i) => i % 5 === first)) await tended.erase({ userId })
  }
  await Promise.all([tended.replay({ handler: 'a' }), ...[0, 1, 2, 3, 4].map(eraseEveryFifth)])

  working = false
  await worker
  expect(await waitingWithoutBody(inbox.name)).toBe(0)
  expect((await engine.stats()).handlers[0]?.pending).toBe(0)
}, 60_000)

test('a claim ends deliveries whose event has no body, and leases the next of their lane', async () => {
  await using inbox = await schema(server)
  await using engine = postgres(server.url, { schema: inbox.name })
  await engine.subscribe([
    { handler: 'a', types: '*', ordering: 'lane' },
    { handler: 'b', types: '*', ordering: 'none' },
  ])
  await engine.append(['1', '2', '3', '4'].map((id) => arrival(id, { lane: 'u' })))
  await query(server.url, `update ${inbox.name}.events set body = null, gone = 'pruned' where id = '1'`)
  await query(server.url, `delete from ${inbox.name}.events where id = '2'`)

  const handlers = [
    { handler: 'a', limit: 9 },
    { handler: 'b', limit: 9 },
  ]
  const claims = [await engine.claim(handlers, 30_000), await engine.claim(handlers, 30_000)]
  claims.push(await engine.claim(handlers, 30_000))

  expect(claims.flatMap(({ leases }) => leases.map(({ event, handler }) => [handler, event.key.id]))).toEqual(
    [
      ['b', '3'],
      ['b', '4'],
      ['a', '3'],
    ],
  )
  expect(claims.flatMap(({ gone = [] }) => gone.map(({ handler }) => handler)).toSorted()).toEqual([
    'a',
    'a',
    'b',
    'b',
  ])
  expect((await engine.get(arrival('1').key))?.deliveries[0]).toMatchObject({
    state: 'succeeded',
    reason: 'gone',
  })
  expect((await engine.stats()).handlers.map(({ pending }) => pending)).toEqual([2, 2])
})
