import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Lease } from '../../src/model/lease.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'

/**
 * An inbox so plain that it is plainly right: lists, searched from end to end. `act` does the same to it and to an engine, and demands that
 * they agree: no event is lost, none succeeds twice, lanes keep their order.
 */
export interface Model {
  now: number
  readonly handlers: Map<string, 'lane' | 'none'>
  readonly events: Map<string, { body: string; refused: boolean }>
  readonly deliveries: Delivery[]
  /** Every lease ever given, with the delivery it was for. */
  readonly leases: { readonly lease: Lease; readonly delivery: Delivery }[]
}

interface Delivery {
  readonly handler: string
  readonly id: string
  readonly lane: string | undefined
  state: 'waiting' | 'succeeded' | 'dead'
  dueAt: number
  /** The lease that holds it. */
  held: Lease | undefined
  attempts: number
  /** Leases that expired while it ran alone. */
  crashes: number
  /** The lease whose expiry was counted last in `crashes`, until that crash is taken back. */
  crashed: Lease | undefined
  /** It was leased when its process ended, and no attempt has ended since. */
  suspect: boolean
  /** Its lease is that of a suspect that runs alone. */
  alone: boolean
}

export function emptyModel(): Model {
  return { now: 0, handlers: new Map(), events: new Map(), deliveries: [], leases: [] }
}

export type Action =
  | { readonly do: 'subscribe'; readonly handler: string; readonly ordering: 'lane' | 'none' }
  | { readonly do: 'append'; readonly arrivals: readonly Plain[] }
  | { readonly do: 'claim'; readonly limits: readonly [number, number] }
  | { readonly do: 'settle'; readonly which: number; readonly outcome: Outcome }
  | { readonly do: 'atomic'; readonly which: number; readonly throws: boolean }
  | { readonly do: 'renew' | 'release'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number }
  /** Claims and lets the leases expire. */
  | { readonly do: 'crash'; readonly times: number }
  | { readonly do: 'reopen' }

interface Plain {
  readonly id: string
  readonly body: string
  readonly refused: boolean
}

const leaseMs = 1_000
const handlerNames = ['a', 'b'] as const
const failure = { at: 0, message: 'it failed' }

const handler = fc.constantFrom(...handlerNames)
const which = fc.nat(5)
const ms = fc.constantFrom(0, 300, leaseMs, leaseMs * 3)

const plain: fc.Arbitrary<Plain> = fc.record({
  id: fc.nat(11).map(String),
  body: fc.constantFrom('one', 'one', 'one', 'two'),
  refused: fc.constantFrom(false, false, false, true),
})

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'succeeded' } as const) },
  fc.constant({ kind: 'skipped' } as const),
  ms.map((afterMs) => ({ kind: 'retry', afterMs, failure }) as const),
  ms.map((afterMs) => ({ kind: 'wait', afterMs }) as const),
  fc.constant({ kind: 'dead', reason: 'permanent', failure } as const),
)

export const actions: fc.Arbitrary<readonly Action[]> = fc
  .array(
    fc.oneof(
      fc.record({
        do: fc.constant('subscribe' as const),
        handler,
        ordering: fc.constantFrom('lane', 'none'),
      }),
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('append' as const),
          arrivals: fc.array(plain, { minLength: 1, maxLength: 4 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('claim' as const), limits: fc.tuple(fc.nat(3), fc.nat(3)) }),
      },
      { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), which, outcome }) },
      fc.record({ do: fc.constant('atomic' as const), which, throws: fc.boolean() }),
      fc.record({ do: fc.constantFrom('renew' as const, 'release' as const), which }),
      { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms }) },
      fc.record({ do: fc.constant('crash' as const), times: fc.constantFrom(1, 3) }),
      fc.constant({ do: 'reopen' } as const),
    ),
    { maxLength: 24 },
  )
  .map((rest) => [{ do: 'subscribe', handler: 'a', ordering: 'lane' }, ...rest])

/** What the model cannot do for the engine. */
export interface World {
  engine(): Engine
  advance(ms: number): Promise<void>
  reopen(): Promise<void>
}

export async function act(model: Model, world: World, action: Action): Promise<void> {
  const engine = world.engine()
  switch (action.do) {
    case 'subscribe':
      await engine.subscribe([{ handler: action.handler, types: '*', ordering: action.ordering }])
      model.handlers.set(action.handler, action.ordering)
      return
    case 'append': {
      const answers = await engine.append(action.arrivals.map(arrivalOf))
      assert.deepEqual(
        answers,
        action.arrivals.map((one) => append(model, one)),
      )
      return
    }
    case 'claim':
      return claim(model, engine, action.limits)
    case 'settle': {
      const taken = pick(model, action.which)
      if (taken === undefined) return
      const held = taken.delivery.held === taken.lease
      const [answer] = await engine.settle([{ lease: taken.lease, outcome: action.outcome }])
      assert.equal(answer, held ? 'settled' : 'lost')
      if (held) settle(model, taken.delivery, action.outcome)
      else takeCrashBack(taken)
      return
    }
    case 'atomic': {
      const taken = pick(model, action.which)
      if (taken === undefined || engine.atomic === undefined) return
      const held = taken.delivery.held === taken.lease
      const settled = engine.atomic(taken.lease, () => {
        assert.ok(held, 'a handler ran on a lost lease')
        if (action.throws) throw new Error('undo this')
      })
      if (held && action.throws) return assert.rejects(settled, { message: 'undo this' })
      assert.equal(await settled, held ? 'settled' : 'lost')
      if (held) settle(model, taken.delivery, { kind: 'succeeded' })
      else takeCrashBack(taken)
      return
    }
    case 'renew': {
      const taken = pick(model, action.which)
      if (taken === undefined) return
      const held = taken.delivery.held === taken.lease
      assert.deepEqual(await engine.renew([taken.lease], leaseMs), [held ? 'renewed' : 'lost'])
      if (held) taken.delivery.dueAt = model.now + leaseMs
      else takeCrashBack(taken)
      return
    }
    case 'release': {
      const taken = pick(model, action.which)
      if (taken === undefined) return
      await engine.release([taken.lease])
      if (taken.delivery.held === taken.lease) settle(model, taken.delivery, { kind: 'wait', afterMs: 0 })
      return
    }
    case 'advance':
      await world.advance(action.ms)
      model.now += action.ms
      return
    case 'crash':
      for (let time = 0; time < action.times; time++) {
        await claim(model, engine, [3, 3])
        await act(model, world, { do: 'advance', ms: leaseMs })
      }
      return
    case 'reopen':
      await world.reopen()
      return
  }
}

/** Lets every delivery come to its end, and looks at each event once more. */
export async function finish(model: Model, world: World): Promise<void> {
  const engine = world.engine()
  for (let round = 0; model.deliveries.some(({ state }) => state === 'waiting'); round++) {
    assert.ok(round < 1_000, 'deliveries were stranded')
    const before = model.leases.length
    await act(model, world, { do: 'claim', limits: [9, 9] })
    for (const { lease, delivery } of model.leases.slice(before)) {
      assert.deepEqual(await engine.settle([{ lease, outcome: { kind: 'succeeded' } }]), ['settled'])
      settle(model, delivery, { kind: 'succeeded' })
    }
    await act(model, world, { do: 'advance', ms: leaseMs })
  }
  assert.equal((await engine.claim(wants([9, 9]), leaseMs)).nextInMs, undefined)

  for (const [id, event] of model.events) {
    const kept = await engine.get(arrival(id).key)
    assert.equal(Buffer.from(kept?.body ?? '').toString(), event.body)
    assert.equal(kept?.refused !== undefined, event.refused)
    assert.deepEqual(
      kept?.deliveries.map(({ handler, state, attempts }) => ({ handler, state, attempts })).sort(byHandler),
      model.deliveries
        .filter((delivery) => delivery.id === id)
        .map(({ handler, state, attempts }) => ({ handler, state, attempts }))
        .sort(byHandler),
    )
  }
  const stats = await engine.stats()
  assert.equal(stats.events, model.events.size)
  for (const { handler, pending, dead } of stats.handlers) {
    const dying = model.deliveries.filter(
      (delivery) => delivery.handler === handler && delivery.state === 'dead',
    )
    assert.deepEqual({ pending, dead }, { pending: 0, dead: dying.length })
  }
}

function append(model: Model, { id, body, refused }: Plain): string {
  const known = model.events.get(id)
  if (known !== undefined && (!known.refused || refused))
    return known.body === body ? 'duplicate' : 'conflict'
  model.events.delete(id)
  model.events.set(id, { body, refused })
  if (refused) return 'stored'
  for (const [handler, ordering] of model.handlers) {
    model.deliveries.push({
      handler,
      id,
      lane: ordering === 'none' ? undefined : laneOf(id),
      state: 'waiting',
      dueAt: 0,
      held: undefined,
      attempts: 0,
      crashes: 0,
      crashed: undefined,
      suspect: false,
      alone: false,
    })
  }
  return 'stored'
}

async function claim(model: Model, engine: Engine, limits: readonly [number, number]): Promise<void> {
  const limitOf = (handler: string) => limits[handlerNames.findIndex((name) => name === handler)] ?? 0
  const claimable = () =>
    handlerNames.flatMap((name) => heads(model, name).filter(({ dueAt }) => dueAt <= model.now))
  for (const delivery of claimable()) {
    if (delivery.held === undefined) continue
    if (delivery.alone) {
      delivery.crashes++
      delivery.crashed = delivery.held
    }
    delivery.held = undefined
    delivery.suspect = true
    delivery.alone = false
  }

  const { leases, crashed, nextInMs, suspects } = await engine.claim(wants(limits), leaseMs)

  const dying = claimable().filter(({ crashes }) => crashes === 3)
  assert.deepEqual(
    crashed.map(({ handler, key }) => `${handler} ${key.id}`).toSorted(),
    dying.map(({ handler, id }) => `${handler} ${id}`).toSorted(),
  )
  for (const delivery of dying) end(delivery, 'dead')
  // A dead letter frees its lane; the next of it may be leased at once.
  const leasable = claimable()
  const suspected = leasable.filter(({ suspect, handler }) => suspect && limitOf(handler) > 0)
  assert.equal(suspects === true, suspected.length > 0)
  for (const lease of leases) {
    const delivery = leasable.find(
      ({ handler, id }) => handler === lease.handler && id === lease.event.key.id,
    )
    assert.ok(delivery !== undefined, `${lease.handler} ${lease.event.key.id} was not claimable`)
    assert.ok(delivery.state === 'waiting' && delivery.dueAt <= model.now, 'leased twice in one claim')
    assert.equal(delivery.suspect, suspected.length > 0, 'suspects run by themselves')
    delivery.alone = delivery.suspect && leases.length === 1
    delivery.held = lease
    delivery.dueAt = model.now + leaseMs
    delivery.attempts++
    assert.equal(lease.attempt, delivery.attempts)
    model.leases.push({ lease, delivery })
  }
  if (suspected.length > 0) {
    assert.ok(leases.length >= 1, 'left all suspects unclaimed')
    assert.ok(
      leases.length <= Math.max(1, model.deliveries.length / 2),
      'tried more than half of the suspects',
    )
  }
  for (const handler of handlerNames) {
    const count = leases.filter((lease) => lease.handler === handler).length
    assert.ok(count <= limitOf(handler), 'more leases than wanted')
    const others = leasable.filter((one) => one.handler === handler && !one.suspect).length
    if (suspected.length === 0 && crashed.length === 0) {
      assert.equal(count, Math.min(limitOf(handler), others), 'left some unclaimed')
    }
  }
  const nextAt = Math.min(
    ...handlerNames.flatMap((handler) => heads(model, handler)).map(({ dueAt }) => dueAt),
  )
  if (nextAt === Infinity) assert.equal(nextInMs, undefined)
  else
    assert.ok(nextInMs !== undefined && nextInMs <= Math.max(0, nextAt - model.now), 'nextInMs is too late')
}

/** What stands first in its lane, and whatever has none. */
function heads(model: Model, handler: string): Delivery[] {
  const waiting = model.deliveries.filter((one) => one.handler === handler && one.state === 'waiting')
  return waiting.filter(
    (one) => one.lane === undefined || waiting.find(({ lane }) => lane === one.lane) === one,
  )
}

function settle(model: Model, delivery: Delivery, settled: Outcome): void {
  switch (settled.kind) {
    case 'succeeded':
    case 'skipped':
      return end(delivery, 'succeeded')
    case 'dead':
      return end(delivery, 'dead')
    case 'retry':
      delivery.dueAt = model.now + settled.afterMs
      delivery.held = undefined
      delivery.suspect = false
      delivery.alone = false
      return
    case 'wait':
      delivery.dueAt = model.now + settled.afterMs
      delivery.held = undefined
      delivery.alone = false
      delivery.attempts--
      return
  }
}

function end(delivery: Delivery, state: 'succeeded' | 'dead'): void {
  assert.equal(delivery.state, 'waiting', 'ended twice')
  delivery.state = state
  delivery.held = undefined
}

/** A process that asks about a lease it lost is alive: when that lease expired, its process had not crashed. */
function takeCrashBack({ lease, delivery }: Model['leases'][number]): void {
  if (delivery.crashed !== lease || delivery.state !== 'waiting') return
  delivery.crashes--
  delivery.crashed = undefined
}

/** One of the latest leases. */
function pick(model: Model, index: number): Model['leases'][number] | undefined {
  return model.leases.at(-1 - index)
}

function arrivalOf({ id, body, refused }: Plain) {
  const lane = laneOf(id)
  return arrival(id, {
    body: Buffer.from(body),
    subjects: [`subject ${id}`],
    ...(lane !== undefined && { lane }),
    ...(refused && { refused: 'no' }),
  })
}

function laneOf(id: string): string | undefined {
  const lane = Number(id) % 4
  return lane === 3 ? undefined : `lane ${lane}`
}

function wants(limits: readonly [number, number]) {
  return handlerNames.map((handler, i) => ({ handler, limit: limits[i] ?? 0 }))
}

function byHandler(a: { handler: string }, b: { handler: string }): number {
  return a.handler < b.handler ? -1 : 1
}
