import { afterAll, beforeAll, expect, test } from 'vitest'
import { postgres } from 'fusewire/postgres'
import type { Lease } from '../../src/model/lease.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { anyServer, query, schema, type Server } from './server.ts'
import { setTime } from './time.ts'

const hourMs = 60 * 60_000
const start = Date.UTC(2030, 0, 1)
const failure = { at: 0, message: 'it failed' }

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** Nodes on one inbox whose delivery has failed once, and the time of their server. */
async function failedOnce(count: number) {
  const inbox = await schema(server)
  const clocks = Array.from({ length: count }, () => handClock(start))
  const nodes = clocks.map((clock) => postgres(server.url, { schema: inbox.name, clock }))
  let now = start
  async function jump(ms: number): Promise<void> {
    now += ms
    await setTime(server.url, inbox.name, now)
  }
  const [first] = nodes
  if (first === undefined) throw new Error('at least one node')
  await first.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
  await jump(0)
  await first.append([arrival('1', { createInstant: start, lane: 'u' })])
  await fail(first, await claimOne(first))
  return {
    name: inbox.name,
    nodes,
    first,
    jump,
    /** Time that passes. */
    async pass(ms: number): Promise<void> {
      for (const clock of clocks) await clock.advance(ms)
      await jump(ms)
    },
    now: () => now,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]()
      await inbox[Symbol.asyncDispose]()
    },
  }
}

async function claimOne(node: Engine): Promise<Lease> {
  const { leases } = await node.claim([{ handler: 'a', limit: 1 }], 30_000)
  const [lease] = leases
  if (lease === undefined) throw new Error('nothing is due')
  return lease
}

async function fail(node: Engine, lease: Lease, afterMs = 0): Promise<void> {
  expect(await node.settle([{ lease, outcome: { kind: 'retry', afterMs, failure } }])).toEqual(['settled'])
}

test('a clock that jumps ahead counts as no failing time, and time that passes does', async () => {
  await using inbox = await failedOnce(1)
  await inbox.pass(2 * hourMs)
  await inbox.jump(30 * hourMs)
  const lease = await claimOne(inbox.first)
  expect(lease.failingForMs / hourMs).toBeCloseTo(2, 1)
  expect(lease.laneHeldForMs / hourMs).toBeCloseTo(2, 1)

  await fail(inbox.first, lease)
  await inbox.pass(5 * hourMs)
  expect((await claimOne(inbox.first)).failingForMs / hourMs).toBeCloseTo(7, 1)
})

test('a jump that two nodes see is corrected once', async () => {
  await using inbox = await failedOnce(2)
  const [one, two] = inbox.nodes
  if (one === undefined || two === undefined) throw new Error('two nodes')
  await two.claim([{ handler: 'a', limit: 0 }], 30_000)
  await inbox.pass(40 * hourMs)
  await inbox.jump(30 * hourMs)
  await Promise.all([one, two].map((node) => node.claim([{ handler: 'a', limit: 0 }], 30_000)))
  const lease = await claimOne(two)
  expect(lease.failingForMs / hourMs).toBeCloseTo(40, 1)
})

test('a clock that is set back lets no retry, no duty and no failing time wait for it', async () => {
  await using inbox = await failedOnce(1)
  const { first } = inbox
  await inbox.pass(hourMs)
  await fail(first, await claimOne(first), 60_000)
  await first.tend?.hold('prune', 'a node that is gone', 60_000)
  await inbox.jump(-30 * hourMs)
  await first.claim([{ handler: 'a', limit: 1 }], 30_000)
  await inbox.pass(61_000)

  expect((await claimOne(first)).failingForMs / hourMs).toBeCloseTo(1, 1)
  expect(await first.tend?.hold('prune', 'another node', 60_000)).toBe(true)
})

test('time in which no node ran counts as failing time when an event confirms it, and not before', async () => {
  await using inbox = await failedOnce(1)
  await inbox.first[Symbol.asyncDispose]()
  await inbox.jump(30 * hourMs)
  const open = () => postgres(server.url, { schema: inbox.name, clock: handClock(start) })

  await using unconfirmed = open()
  const lease = await claimOne(unconfirmed)
  expect(lease.failingForMs).toBe(0)
  await fail(unconfirmed, lease)
  await unconfirmed[Symbol.asyncDispose]()

  await inbox.jump(30 * hourMs)
  await using confirmed = open()
  await confirmed.append([arrival('2', { createInstant: inbox.now(), receivedAt: inbox.now(), lane: 'v' })])
  expect((await claimOne(confirmed)).failingForMs / hourMs).toBeCloseTo(30, 1)
})

test('an inbox whose clocks agree moves nothing', async () => {
  await using inbox = await failedOnce(1)
  const failing = () => query(server.url, `select failing from ${inbox.name}.heads`)
  const before = await failing()
  for (let n = 0; n < 5; n++) {
    await inbox.pass(20 * 60_000)
    await inbox.first.claim([{ handler: 'a', limit: 0 }], 30_000)
  }
  expect(await failing()).toEqual(before)
})
