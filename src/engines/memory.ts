import type { Claimed, DeadReason, DeliveryState, Failure, Lease, Subscription } from '../model/delivery.ts'
import type { Appended, Engine, HandlerStats, Settled, Settlement, Want } from '../model/engine.ts'
import { FusewireError } from '../model/errors.ts'
import type { Arrival, EventKey } from '../model/event.ts'
import type { Kept } from '../model/kept.ts'
import { type Clock, systemClock } from '../lib/clock.ts'

/**
 * An inbox that lasts as long as the process: for tests, and to read, because every engine does what this one does.
 *
 * `append` puts each event's deliveries into their handlers' intakes, in order, and looks at nothing else. `claim` first admits the
 * intake: a delivery becomes its lane's head, or parks behind the head. Only heads are leased. A lease is a due time in the future
 * and a token; readiness, retry and expiry are then one question: whose due time has passed? `settle` frees the lane, and the
 * first one parked becomes its head.
 */
export function memory({ clock = systemClock }: { clock?: Clock } = {}): Engine<never> {
  const events = new Map<string, KeptEvent>()
  const conflicts: Arrival[] = []
  const queues = new Map<string, Queue>()
  const watchers = new Set<() => void>()
  let positions = 0
  let closed = false

  function append(arrival: Arrival): Appended {
    const key = keyText(arrival.key)
    const known = events.get(key)
    if (known !== undefined && (known.arrival.refused === undefined || arrival.refused !== undefined)) {
      if (Buffer.compare(known.arrival.hash, arrival.hash) === 0) return 'duplicate'
      conflicts.push(arrival)
      return 'conflict'
    }
    const event: KeptEvent = { arrival, position: ++positions, deliveries: [] }
    events.set(key, event)
    if (arrival.refused !== undefined) return 'stored'
    for (const queue of queues.values()) {
      if (!matches(queue.subscription, arrival)) continue
      const lane = queue.subscription.ordering === 'none' ? undefined : arrival.lane
      const delivery = newDelivery(event, queue, lane)
      event.deliveries.push(delivery)
      queue.intake.push(delivery)
    }
    return 'stored'
  }

  /** The delivery, while this lease still holds it. */
  function held(lease: Lease): Delivery | undefined {
    const delivery = events
      .get(keyText(lease.event.key))
      ?.deliveries.find((d) => d.queue.subscription.handler === lease.handler)
    return delivery?.leased === true && String(delivery.token) === lease.token ? delivery : undefined
  }

  function settle({ lease, outcome }: Settlement): Settled {
    const delivery = held(lease)
    if (delivery === undefined) return 'lost'
    const { failing } = delivery.queue
    const now = clock.now()
    delivery.leased = false
    if ('failure' in outcome && outcome.failure !== undefined) {
      delivery.failures = [...delivery.failures, outcome.failure].slice(-10)
      if (!failing.has(streak(delivery))) failing.set(streak(delivery), now)
    }
    switch (outcome.kind) {
      case 'succeeded':
        failing.delete(streak(delivery))
        end(delivery, 'succeeded', now)
        break
      case 'skipped':
        end(delivery, 'succeeded', now, 'skipped')
        break
      case 'dead':
        end(delivery, 'dead', now, outcome.reason)
        break
      case 'retry':
        delivery.dueAt = now + outcome.afterMs
        break
      case 'wait':
        delivery.attempts--
        delivery.dueAt = now + outcome.afterMs
        break
    }
    return 'settled'
  }

  function wake(): void {
    for (const watcher of watchers) queueMicrotask(() => watcher())
  }

  function assertOpen(): void {
    if (closed)
      throw new FusewireError('FW_STOPPED', 'This inbox was closed. Build a new engine to open it again.')
  }

  return {
    async open() {
      assertOpen()
    },

    async subscribe(subscriptions) {
      assertOpen()
      for (const subscription of subscriptions) {
        const queue = queues.get(subscription.handler)
        if (queue === undefined) queues.set(subscription.handler, newQueue(subscription))
        else queue.subscription = subscription
      }
    },

    async append(arrivals) {
      assertOpen()
      const answers = arrivals.map(append)
      wake()
      return answers
    },

    async known(keys) {
      assertOpen()
      return keys.map((key) => {
        const event = events.get(keyText(key))
        return event !== undefined && event.arrival.refused === undefined
      })
    },

    async probe() {
      assertOpen()
    },

    async claim(wants, leaseMs) {
      assertOpen()
      return claim(queues, wants, leaseMs, clock.now())
    },

    async renew(leases, leaseMs) {
      assertOpen()
      return leases.map((lease) => {
        const delivery = held(lease)
        if (delivery === undefined) return 'lost'
        delivery.dueAt = clock.now() + leaseMs
        return 'renewed'
      })
    },

    async release(leases) {
      assertOpen()
      for (const lease of leases) {
        const delivery = held(lease)
        if (delivery === undefined) continue
        delivery.leased = false
        delivery.attempts--
        delivery.dueAt = clock.now()
      }
      wake()
    },

    async settle(settlements) {
      assertOpen()
      const answers = settlements.map(settle)
      wake()
      return answers
    },

    watch(watcher) {
      watchers.add(watcher)
      return { [Symbol.dispose]: () => void watchers.delete(watcher) }
    },

    async get(key) {
      assertOpen()
      const event = events.get(keyText(key))
      return event && kept(event)
    },

    async stats() {
      assertOpen()
      const handlers = [...queues.values()].map(queueStats)
      return { events: events.size, handlers: handlers.toSorted((a, b) => (a.handler < b.handler ? -1 : 1)) }
    },

    async [Symbol.asyncDispose]() {
      closed = true
      watchers.clear()
    },
  }
}

interface KeptEvent {
  readonly arrival: Arrival
  readonly position: number
  readonly deliveries: Delivery[]
}

/** What one handler has still to do. */
interface Queue {
  subscription: Subscription
  /** Appended and not looked at since. */
  intake: Delivery[]
  /** The first of each lane, and whatever has no lane. */
  readonly heads: Set<Delivery>
  /** A lane's deliveries in order: its head, then the parked ones. */
  readonly lanes: Map<string, Delivery[]>
  /** Since when a lane, or a delivery without one, has failed without a success between. */
  readonly failing: Map<string | Delivery, number>
  dead: number
}

interface Delivery {
  readonly event: KeptEvent
  readonly queue: Queue
  readonly lane?: string
  state: 'waiting' | 'succeeded' | 'dead'
  /** When it may be claimed: after its retry, or because whoever leased it let that time pass. */
  dueAt: number
  leased: boolean
  /** Counts the leases; the latest alone may change the delivery. */
  token: number
  attempts: number
  crashes: number
  failures: readonly Failure[]
  reason?: string
}

function newQueue(subscription: Subscription): Queue {
  return { subscription, intake: [], heads: new Set(), lanes: new Map(), failing: new Map(), dead: 0 }
}

function newDelivery(event: KeptEvent, queue: Queue, lane: string | undefined): Delivery {
  return {
    event,
    queue,
    ...(lane !== undefined && { lane }),
    state: 'waiting',
    dueAt: 0,
    leased: false,
    token: 0,
    attempts: 0,
    crashes: 0,
    failures: [],
  }
}

function matches({ types, tenantIds, applicationIds }: Subscription, arrival: Arrival): boolean {
  return (
    (types === '*' || types.includes(arrival.type)) &&
    (tenantIds === undefined || tenantIds.includes(arrival.key.tenantId)) &&
    (applicationIds === undefined || applicationIds.some((id) => arrival.applicationIds.includes(id)))
  )
}

function claim(
  queues: ReadonlyMap<string, Queue>,
  wants: readonly Want[],
  leaseMs: number,
  now: number,
): Claimed {
  const leases: Lease[] = []
  const crashed: { handler: string; key: EventKey }[] = []
  let nextAt = Infinity
  for (const { handler, limit } of wants) {
    const queue = queues.get(handler)
    if (queue === undefined) continue
    admit(queue, now)
    let room = limit
    for (const delivery of dueHeads(queue, now)) {
      if (room === 0) break
      if (delivery.leased && ++delivery.crashes === 3) {
        end(delivery, 'dead', now, 'crashed')
        crashed.push({ handler, key: delivery.event.arrival.key })
        continue
      }
      delivery.leased = true
      delivery.token++
      delivery.attempts++
      delivery.dueAt = now + leaseMs
      leases.push(lease(delivery, now))
      room--
    }
    for (const head of queue.heads) nextAt = Math.min(nextAt, head.dueAt)
  }
  return { leases, crashed, ...(nextAt < Infinity && { nextInMs: Math.max(0, nextAt - now) }) }
}

/** Makes each delivery of the intake its lane's head, or parks it behind the head. */
function admit(queue: Queue, now: number): void {
  for (const delivery of queue.intake) {
    const lane = delivery.lane === undefined ? undefined : queue.lanes.get(delivery.lane)
    if (lane !== undefined) {
      lane.push(delivery)
      continue
    }
    if (delivery.lane !== undefined) queue.lanes.set(delivery.lane, [delivery])
    delivery.dueAt = now
    queue.heads.add(delivery)
  }
  queue.intake = []
}

function dueHeads(queue: Queue, now: number): readonly Delivery[] {
  return [...queue.heads]
    .filter((head) => head.dueAt <= now)
    .sort((a, b) => a.dueAt - b.dueAt || a.event.position - b.event.position)
}

/** Ends a head; the next of its lane takes its place. */
function end(
  head: Delivery,
  state: 'succeeded' | 'dead',
  now: number,
  reason?: 'skipped' | DeadReason,
): void {
  const { queue, lane } = head
  head.state = state
  head.leased = false
  if (reason !== undefined) head.reason = reason
  if (state === 'dead') queue.dead++
  queue.heads.delete(head)
  if (lane === undefined) {
    queue.failing.delete(head)
    return
  }
  const [, next, ...parked] = queue.lanes.get(lane) ?? []
  if (next === undefined) {
    queue.lanes.delete(lane)
    return
  }
  queue.lanes.set(lane, [next, ...parked])
  next.dueAt = now
  queue.heads.add(next)
}

function lease(delivery: Delivery, now: number): Lease {
  const { event, queue, token, attempts } = delivery
  const failingSince = queue.failing.get(streak(delivery))
  const { key, type, source, receivedAt, body } = event.arrival
  return {
    handler: queue.subscription.handler,
    position: event.position,
    token: String(token),
    attempt: attempts,
    failingForMs: failingSince === undefined ? 0 : now - failingSince,
    event: { key, type, source, receivedAt, body },
  }
}

/** Failures are counted together by lane; a delivery without one stands for itself. */
function streak(delivery: Delivery): string | Delivery {
  return delivery.lane ?? delivery
}

function kept({ arrival, deliveries }: KeptEvent): Kept {
  const { key, type, source, receivedAt, body, refused } = arrival
  return {
    key,
    type,
    source,
    receivedAt,
    body,
    ...(refused !== undefined && { refused }),
    deliveries: deliveries.map((delivery) => ({
      handler: delivery.queue.subscription.handler,
      state: stateOf(delivery),
      attempts: delivery.attempts,
      ...(delivery.reason !== undefined && { reason: delivery.reason }),
      failures: delivery.failures,
    })),
  }
}

function stateOf({ state, leased }: Delivery): DeliveryState {
  if (state !== 'waiting') return state
  return leased ? 'leased' : 'pending'
}

function queueStats({ subscription, intake, heads, lanes, dead }: Queue): HandlerStats {
  const parked = [...lanes.values()].flatMap((lane) => lane.slice(1))
  const pending = [...intake, ...heads, ...parked]
  const oldest = pending.toSorted((a, b) => a.event.position - b.event.position)[0]
  return {
    handler: subscription.handler,
    pending: pending.length,
    dead,
    ...(oldest !== undefined && { oldestPendingAt: oldest.event.arrival.receivedAt }),
  }
}

function keyText({ createInstant, tenantId, id }: EventKey): string {
  return `${createInstant} ${tenantId} ${id}`
}
