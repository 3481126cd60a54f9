import { randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { place } from './places.ts'

test('a replay beside prune and erasures makes no delivery whose event has no body', async () => {
  using at = place()
  await using engine = sqlite(at.file, { allowVolatile: true })
  const tended = createInbox(engine)
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
  const people = Array.from({ length: 50 }, () => randomUUID())
  const receivedAt = Date.now() - 60_000
  for (let done = 0; done < 3_000; done += 500) {
    await engine.append(
      Array.from({ length: 500 }, (_, i) => {
        const person = people[i % people.length] ?? ''
        return arrival(randomUUID(), {
          createInstant: receivedAt,
          receivedAt: receivedAt + done,
          lane: person,
          subjects: [person],
        })
      }),
    )
  }
  for (;;) {
    const { leases, nextInMs } = await engine.claim([{ handler: 'a', limit: 500 }], 30_000)
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
    if (leases.length === 0 && nextInMs !== 0) break
  }

  await Promise.all([
    tended.replay({ handler: 'a' }),
    tended.prune({ before: new Date(receivedAt + 1_000) }),
    ...people.map((userId) => tended.erase({ userId })),
  ])

  using db = new DatabaseSync(at.file)
  const without = db
    .prepare(
      `select count(*) as count from fw_deliveries d join fw_events e using (seq)
       where d.state in ('intake', 'parked', 'head') and e.body is null`,
    )
    .get()
  expect(without?.['count']).toBe(0)
  expect((await engine.stats()).handlers[0]?.pending).toBe(0)
}, 60_000)

test('a claim ends deliveries whose event has no body, and leases the next of their lane', async () => {
  using at = place()
  await using engine = sqlite(at.file, { allowVolatile: true })
  await engine.subscribe([
    { handler: 'a', types: '*', ordering: 'lane' },
    { handler: 'b', types: '*', ordering: 'none' },
  ])
  const events = ['1', '2', '3', '4'].map((id) => arrival(id, { lane: 'u' }))
  await engine.append(events)
  using db = new DatabaseSync(at.file)
  db.exec(
    `update fw_events set body = null, gone = 'pruned' where id = '1'; delete from fw_events where id = '2'`,
  )

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
  expect(
    claims.flatMap(({ gone = [] }) => gone).toSorted((a, b) => (a.handler < b.handler ? -1 : 1)),
  ).toEqual([
    { handler: 'a', position: 1 },
    { handler: 'a', position: 2 },
    { handler: 'b', position: 1 },
    { handler: 'b', position: 2 },
  ])
  expect((await engine.get(arrival('1').key))?.deliveries[0]).toMatchObject({
    state: 'succeeded',
    reason: 'gone',
  })
  expect((await engine.stats()).handlers.map(({ pending }) => pending)).toEqual([2, 2])
})
