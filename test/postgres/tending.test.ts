import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgres } from '../../src/engines/postgres/index.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { anyServer, query, schema, type Server } from './server.ts'
import { setTime } from './time.ts'

const hourMs = 60 * 60_000
const dayMs = 24 * hourMs

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** How many rows of all tables hold a text, in the clear or as bytes. */
async function rowsWith(text: string, inbox: string): Promise<number> {
  const tables = await query(server.url, `select tablename from pg_tables where schemaname = '${inbox}'`)
  const hex = Buffer.from(text).toString('hex')
  const counts = await Promise.all(
    tables.map(async ({ tablename }) => {
      const [row] = await query(
        server.url,
        `select count(*)::int as count from ${inbox}.${String(tablename)} t where strpos(t::text, $1) > 0 or strpos(t::text, $2) > 0`,
        [text, hex],
      )
      return Number(row?.['count'])
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

test('leaves no row that holds an erased person, while others are handled and replayed', async () => {
  await using inbox = await schema(server)
  const engine = postgres(server.url, { schema: inbox.name })
  const tended = createInbox(engine)
  await engine.subscribe([
    { handler: 'a', types: '*', ordering: 'lane' },
    { handler: 'b', types: '*', ordering: 'none' },
  ])
  const people = Array.from({ length: 4 }, () => randomUUID())
  const [ada = ''] = people
  const now = Date.now()
  await engine.append(
    Array.from({ length: 800 }, (_, i) => {
      const person = people[i % people.length] ?? ''
      return arrival(randomUUID(), {
        createInstant: now - 10,
        receivedAt: now,
        lane: createHash('sha256').update(person).digest('hex'),
        subjects: [person],
        body: Buffer.from(JSON.stringify({ event: { user: { id: person } } })),
        ...(i % 50 === 7 && { refused: `${person} is not welcome` }),
      })
    }),
  )
  expect(await rowsWith(ada, inbox.name)).toBeGreaterThan(100)

  let working = true
  const work = async (handler: string) => {
    while (working) {
      const { leases } = await engine.claim([{ handler, limit: 20 }], 30_000)
      await engine.settle(
        leases.map((lease, i) => {
          const failure = { at: now, message: Buffer.from(lease.event.body).toString() }
          const ends = [
            { kind: 'succeeded' },
            { kind: 'dead', reason: 'failed', failure },
            { kind: 'retry', afterMs: 0, failure },
          ] as const
          return { lease, outcome: ends[i % 3] ?? ends[0] }
        }),
      )
    }
  }
  const workers = [work('a'), work('b'), work('b')]
  const [report] = await Promise.all([
    tended.erase({ userId: ada }),
    tended.replay({ state: 'dead' }),
    tended.replay({ state: 'dead' }),
  ])
  working = false
  await Promise.all(workers)

  expect(report).toMatchObject({ events: 200, bytes: 'overwritten later' })
  expect(await rowsWith(ada, inbox.name)).toBe(0)
  const again = arrival(randomUUID(), {
    createInstant: now - 20,
    subjects: [ada],
    body: Buffer.from(ada),
    lane: 'x',
  })
  expect(await engine.append([again])).toEqual(['stored'])
  expect(await rowsWith(ada, inbox.name)).toBe(0)
  await engine[Symbol.asyncDispose]()
})

test('replays once what two people replay at the same time', async () => {
  await using inbox = await schema(server)
  const engine = postgres(server.url, { schema: inbox.name })
  const tended = createInbox(engine)
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'none' }])
  await engine.append(Array.from({ length: 100 }, (_, i) => arrival(String(i))))
  const { leases } = await engine.claim([{ handler: 'a', limit: 100 }], 30_000)
  await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))

  const both = await Promise.all([tended.replay({ handler: 'a' }), tended.replay({ handler: 'a' })])

  expect(both.reduce((sum, { deliveries }) => sum + deliveries, 0)).toBe(100)
  expect((await engine.stats()).handlers[0]?.pending).toBe(100)
  await engine[Symbol.asyncDispose]()
})

test('calls nothing stale while no event has confirmed a clock that is ahead', async () => {
  await using inbox = await schema(server)
  await using engine = postgres(server.url, { schema: inbox.name })
  await engine.open()
  const createInstant = Date.now()
  await setTime(server.url, inbox.name, createInstant + 420 * dayMs)
  expect(await engine.append([arrival('1', { createInstant })])).toEqual(['stored'])
})

test('several nodes that run beside each other believe a clock no earlier than one does', async () => {
  await using inbox = await schema(server)
  const start = Date.now()
  const clocks = Array.from({ length: 4 }, () => handClock(start))
  await using stack = new AsyncDisposableStack()
  const nodes = clocks.map((clock) => stack.use(postgres(server.url, { schema: inbox.name, clock })))
  await nodes[0]?.open()
  await setTime(server.url, inbox.name, start)
  const event = arrival('1', { createInstant: start })
  await nodes[0]?.append([event])
  const unhandled = { unhandledMs: 3 * dayMs }

  const isKeptAfter: boolean[] = []
  for (let hours = 0; hours <= 25; hours += 1) {
    await setTime(server.url, inbox.name, start + 100 * dayMs + hours * hourMs)
    for (const node of nodes) await node.tend?.prune(unhandled)
    isKeptAfter.push((await nodes[0]?.get(event.key))?.body !== undefined)
    for (const clock of clocks) await clock.advance(hourMs)
  }
  expect(isKeptAfter.slice(0, 24)).not.toContain(false)
  expect(isKeptAfter.at(-1)).toBe(false)
}, 60_000)
