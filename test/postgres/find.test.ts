import { postgres } from 'fusewire/postgres'
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Filter } from '../../src/model/filter.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { rowsRead } from './rows-read.ts'
import { anyServer, query, schema, type Server } from './server.ts'

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test('finds among many events with few looks, whatever is asked', async () => {
  await using inbox = await schema(server)
  await using pools = new AsyncDisposableStack()
  const pool = new Pool({ connectionString: server.url, max: 1 }) // One, so that its looks can be counted.
  pools.defer(() => pool.end())
  await using engine = postgres(pool, { schema: inbox.name })
  const { tend } = engine
  if (tend === undefined) throw new Error('an inbox on PostgreSQL can be tended')
  await engine.subscribe([{ handler: 'a', types: ['user.delete.complete'], ordering: 'lane' }])
  const now = Date.now()
  const rare = {
    type: 'user.delete.complete',
    createInstant: now,
    receivedAt: now,
    subjects: ['ada'],
    lane: 'ada',
  }
  await engine.append(Array.from({ length: 20 }, (_, i) => arrival(`rare ${i}`, rare)))
  const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], 30_000)
  await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'dead', reason: 'permanent' } })))
  await query(
    server.url,
    `
    insert into ${inbox.name}.events (created, position, received, lane, hash, tenant, id, type, source, applications, kept, body)
    select ${now} + n, nextval('${inbox.name}.positions'), ${now} + n * 1000, gen_random_uuid(), sha256(n::text::bytea), '',
      'many ' || n, 'user.login.success', 'door', '{}', ${now}, 'body'
    from generate_series(1, 200000) as n;
    insert into ${inbox.name}.names select position >> 16, gen_random_uuid(), position, created from ${inbox.name}.events;
    analyze
    `,
  )

  const asked: readonly (readonly [Filter, number])[] = [
    [{}, 50],
    [{ id: 'rare 7' }, 1],
    [{ id: 'nobody' }, 0],
    [{ userId: 'ada' }, 20],
    [{ userId: 'nobody' }, 0],
    [{ type: 'user.delete.complete' }, 20],
    [{ type: ['user.delete.complete', 'user.login.success'] }, 50],
    [{ state: 'dead' }, 1],
    [{ state: 'pending' }, 19],
    [{ receivedBefore: now + 100_000_000, receivedAfter: now + 99_000_000 }, 50],
  ]
  for (const order of ['newest', 'oldest'] as const) {
    for (const [where, count] of asked) {
      const before = await rowsRead(pool, inbox.name)
      let items = 0
      let pages = 0
      for (let next: string | undefined = ''; next !== undefined && items < count && pages < 99; pages++) {
        const page = await tend.find(where, { limit: 50 - items, order, ...(next !== '' && { after: next }) })
        items += page.items.length
        next = page.next
      }
      expect([where, order, items]).toEqual([where, order, count])
      expect((await rowsRead(pool, inbox.name)) - before, `${JSON.stringify(where)} ${order}`).toBeLessThan(
        2_000,
      )
    }
  }
}, 60_000)
