import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { postgres } from '../../src/engines/postgres/index.ts'
import type { Lease } from '../../src/model/lease.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { anyServer, schema, type Server } from './server.ts'

/** More of them by night: FUSEWIRE_RUNS=10 makes ten times as many. */
const factor = Number(process.env['FUSEWIRE_RUNS'] ?? 1)
const leaseMs = 400

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const ways = ['succeed', 'retry', 'wait', 'die', 'release', 'renew', 'crash', 'late', 'atomic'] as const
type Way = (typeof ways)[number]

const ends: fc.Arbitrary<Way> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('succeed' as const) },
  fc.constantFrom(...ways),
)

/**
 * Nodes append and work on the same lanes at the same moment, and crash. Each event must end once for each handler, no two deliveries of a
 * lane may be held together, and none may overtake another of its lane or be stranded behind it.
 */
test(
  'several nodes at once lose nothing, repeat nothing and overtake nothing',
  async () => {
    const run = fc.record({
      nodes: fc.integer({ min: 2, max: 4 }),
      lanes: fc.integer({ min: 1, max: 6 }),
      ends: fc.array(ends, { minLength: 20, maxLength: 60 }),
    })
    await fc.assert(
      fc.asyncProperty(run, async (plan) => {
        await using inbox = await schema(server)
        const nodes = Array.from({ length: plan.nodes }, () => postgres(server.url, { schema: inbox.name }))
        try {
          const [first] = nodes
          await first?.subscribe(['a', 'b'].map((handler) => ({ handler, types: '*', ordering: 'lane' })))
          await work(nodes, plan.lanes, plan.ends)
        } finally {
          for (const node of nodes) await node[Symbol.asyncDispose]()
        }
      }),
      { numRuns: 6 * factor },
    )
  },
  120_000 * factor,
)

async function work(nodes: readonly Engine[], lanes: number, plan: readonly Way[]): Promise<void> {
  const perLane = 15
  const owed = lanes * perLane * 2
  const ended: { lane: string; id: string }[] = []
  const holding = new Map<string, { lease: Lease; until: number }>()
  let step = 0

  /** One sender a lane, so that its order is known; each event through another node, and through two. */
  async function send(lane: number): Promise<void> {
    for (let n = 0; n < perLane; n++) {
      const event = arrival(`${lane}/${n}`, { lane: `lane ${lane}` })
      const [one, two] = [nodes[n % nodes.length], nodes[(n + 1) % nodes.length]]
      const refused = arrival(`${lane}/refused`, { refused: 'no' })
      const answers = await Promise.all([one?.append([event]), two?.append([event, refused])])
      const stored = answers.filter((answer) => answer?.[0] === 'stored')
      assert.equal(stored.length, 1, 'of two copies one is new')
    }
  }

  async function deliver(node: Engine): Promise<void> {
    while (ended.length < owed) {
      const asked = performance.now()
      const { leases, crashed } = await node.claim(
        [
          { handler: 'a', limit: 3 },
          { handler: 'b', limit: 2 },
        ],
        leaseMs,
      )
      for (const { handler, key } of crashed) end(handler, key.id)
      for (const lease of leases) hold(lease, asked)
      await Promise.all(leases.map((lease) => attempt(node, lease)))
      if (leases.length === 0) await sleep(10)
    }
  }

  function hold(lease: Lease, asked: number): void {
    const lane = laneOf(lease)
    const held = holding.get(lane)
    // Its lease may have been given the moment we asked; the other's ran until then at the least.
    if (held !== undefined) assert.ok(performance.now() >= held.until, `two hold ${lane}`)
    holding.set(lane, { lease, until: asked + leaseMs })
  }

  async function attempt(node: Engine, lease: Lease): Promise<void> {
    const how = plan[step++ % plan.length] ?? 'succeed'
    if (step % 3 === 0) await sleep(step % 7)
    if (how === 'crash') return
    if (how === 'late') await sleep(leaseMs + 50)
    if (how === 'renew') {
      const [renewed] = await node.renew([lease], leaseMs)
      const held = holding.get(laneOf(lease))
      if (renewed === 'renewed' && held?.lease === lease) held.until = performance.now() + leaseMs - 100
    }
    // From here on another may hold the lane: our statement may have committed before we hear of it.
    if (holding.get(laneOf(lease))?.lease === lease) holding.delete(laneOf(lease))
    if (how === 'release') return node.release([lease])
    if (how === 'atomic') {
      const settled = await node.atomic?.(lease, () => Promise.resolve())
      if (settled === 'settled') end(lease.handler, lease.event.key.id)
      return
    }
    const outcome = outcomes[how]
    const [settled] = await node.settle([{ lease, outcome }])
    if (settled === 'settled' && outcome.kind !== 'retry' && outcome.kind !== 'wait') {
      end(lease.handler, lease.event.key.id)
    }
  }

  function end(handler: string, id: string): void {
    ended.push({ lane: `${handler} ${id.split('/')[0]}`, id })
  }

  await Promise.all([...Array.from({ length: lanes }, (_, lane) => send(lane)), ...nodes.map(deliver)])

  assert.equal(ended.length, owed, 'nothing ends twice')
  assert.equal(new Set(ended.map(({ lane, id }) => `${lane} ${id}`)).size, owed)
  for (const lane of new Set(ended.map((one) => one.lane))) {
    const order = ended.filter((one) => one.lane === lane).map(({ id }) => Number(id.split('/')[1]))
    // Two nodes may hear of their commits in the other order; never by more than the one that was next.
    order.forEach((n, place) => assert.ok(Math.abs(n - place) <= 1, `${lane}: ${order.join(' ')}`))
  }
  const [node] = nodes
  const stats = await node?.stats()
  assert.deepEqual(
    stats?.handlers.map(({ pending }) => pending),
    [0, 0],
  )
}

function laneOf({ handler, event }: Lease): string {
  return `${handler} ${event.key.id.split('/')[0]}`
}

const failure = { at: 0, message: 'it failed' }

const outcomes: Readonly<Record<Exclude<Way, 'crash' | 'release' | 'atomic'>, Outcome>> = {
  succeed: { kind: 'succeeded' },
  renew: { kind: 'succeeded' },
  late: { kind: 'succeeded' },
  retry: { kind: 'retry', afterMs: 5, failure },
  wait: { kind: 'wait', afterMs: 3 },
  die: { kind: 'dead', reason: 'permanent', failure },
}
