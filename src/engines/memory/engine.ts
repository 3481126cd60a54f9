import type { Lease } from '../../model/lease.ts'
import type { Appended, Engine, Settled, Settlement } from '../../model/engine.ts'
import { FusewireError } from '../../model/errors.ts'
import type { Arrival } from '../../model/arrival.ts'
import { keyText } from '../../model/event-key.ts'
import { judgedTime } from '../../model/judged-time.ts'
import { isStale } from '../../model/retention.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { createWatcherSet } from '../../lib/watcher-set.ts'
import { markRun } from './abandon.ts'
import { claim, endHead } from './claim.ts'
import { keptOf, queueStats } from './kept-of.ts'
import {
  type Delivery,
  createStore,
  isErased,
  isFull,
  isPressed,
  isUnwanted,
  storeKey,
  storeEvent,
  createQueue,
} from './store.ts'
import { createTending } from './tending.ts'

/**
 * An inbox that lasts as long as the process: for tests, and to read, because every engine does what this one does.
 *
 * @param options `clock`: whose time it is. Default: the machine's.
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: memory() })
 */
export function memory({ clock = systemClock }: { clock?: Clock } = {}): Engine<never> {
  // `append` puts each event's deliveries into their handlers' intakes, in order, and looks at nothing else. `claim` first admits the
  // intake: a delivery becomes its lane's head, or parks behind the head. Only heads are leased. A lease is a due time in the future and a
  // token; readiness, retry and expiry are then one question: whose due time has passed? `settle` frees the lane, and the first one parked
  // becomes its head.
  const store = createStore()
  const judged = judgedTime({ at: undefined, doubtMs: 0 }, () => clock.now())
  const { events, queues } = store
  const watchers = createWatcherSet()
  let closed = false

  function append(arrival: Arrival): Appended {
    const key = keyText(arrival.key)
    const known = events.get(key)
    if (known === undefined) {
      if (isFull(store, arrival)) return 'full'
      if (isStale(arrival, judged.at(clock.now()))) return setAside('stale', arrival)
      if (!isUnwanted(store, arrival)) {
        storeEvent(store, arrival, clock.now())
        return 'stored'
      }
      if (arrival.ifUnwanted === 'key') storeKey(store, arrival, clock.now())
      return 'unwanted'
    }
    if (known.arrival.refused !== undefined && arrival.refused === undefined) {
      events.delete(key)
      return append(arrival)
    }
    return Buffer.compare(known.arrival.hash, arrival.hash) === 0
      ? 'duplicate'
      : setAside('conflict', arrival)
  }

  /** Once, however often it is sent. */
  function setAside(kind: 'conflict' | 'stale', arrival: Arrival): Appended {
    const known = store.asides.find((aside) => Buffer.compare(aside.arrival.hash, arrival.hash) === 0)
    if (known === undefined && !isErased(store, arrival)) {
      store.asides.push({ kind, position: ++store.positions, arrival })
    }
    // A gate that refused these bytes has let them pass now.
    if (known !== undefined && arrival.refused === undefined) known.arrival = arrival
    return kind
  }

  function deliveryOf(lease: Lease): Delivery | undefined {
    return events
      .get(keyText(lease.event.key))
      ?.deliveries.find((d) => d.queue.subscription.handler === lease.handler)
  }

  /** The process that held the lease is alive, so its expiry was no crash: takes the counted crash back, once for each lease. */
  function lost(lease: Lease): 'lost' {
    const delivery = deliveryOf(lease)
    if (lease.alone !== true || delivery === undefined) return 'lost'
    if (String(delivery.crashedToken) !== lease.token || delivery.crashes === 0) return 'lost'
    delivery.crashes--
    delete delivery.crashedToken
    return 'lost'
  }

  /** The delivery, while this lease still holds it. */
  function held(lease: Lease): Delivery | undefined {
    const delivery = deliveryOf(lease)
    return delivery?.leased === true && String(delivery.token) === lease.token ? delivery : undefined
  }

  function settle({ lease, outcome }: Settlement): Settled {
    const delivery = held(lease)
    if (delivery === undefined) return lost(lease)
    const now = clock.now()
    delivery.leased = false
    if ('failure' in outcome && outcome.failure !== undefined) {
      delivery.failures = [...delivery.failures, outcome.failure].slice(-10)
    }
    switch (outcome.kind) {
      case 'succeeded':
        delete delivery.heldSince
        endHead(delivery, 'succeeded', now)
        break
      case 'skipped':
        endHead(delivery, 'succeeded', now, 'skipped')
        break
      case 'dead':
        endHead(delivery, 'dead', now, outcome.reason)
        break
      case 'retry':
        delivery.company = 0 // Its process lived to see the end of the attempt.
        delivery.failingSince ??= now
        delivery.heldSince ??= now
        delivery.dueAt = now + outcome.afterMs
        break
      case 'wait':
        delivery.attempts--
        delivery.dueAt = now + outcome.afterMs
        break
    }
    return 'settled'
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
        if (queue === undefined) queues.set(subscription.handler, createQueue(subscription))
        else {
          queue.subscription = subscription
          markRun(queue)
        }
      }
    },

    async append(arrivals) {
      assertOpen()
      for (const { key, source } of arrivals) {
        if (source === 'door' && key.createInstant !== 0) judged.saw(key.createInstant, clock.now())
      }
      const answers = arrivals.map(append)
      watchers.wake()
      if (answers.includes('full') || isPressed(store, store.maxBytes)) store.pressed()
      return answers
    },

    async known(copies) {
      assertOpen()
      return copies.map(({ key, hash }) =>
        [events.get(keyText(key)), ...store.asides].some(
          (kept) =>
            kept !== undefined &&
            kept.arrival.refused === undefined &&
            Buffer.compare(kept.arrival.hash, hash) === 0,
        ),
      )
    },

    async hasRoom(type) {
      assertOpen()
      return !isFull(store, { type })
    },

    async probe() {
      assertOpen()
    },

    async claim(wants, leaseMs, suspectsBeside = 0) {
      assertOpen()
      return claim(queues, wants, leaseMs, clock.now(), suspectsBeside)
    },

    async renew(leases, leaseMs) {
      assertOpen()
      return leases.map((lease) => {
        const delivery = held(lease)
        if (delivery === undefined) return lost(lease)
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
      watchers.wake()
    },

    async settle(settlements) {
      assertOpen()
      const answers = settlements.map(settle)
      watchers.wake()
      return answers
    },

    watch: (wake) => watchers.add(wake),

    async get(key) {
      assertOpen()
      const event = events.get(keyText(key))
      return event && keptOf(event, true)
    },

    async stats() {
      assertOpen()
      const handlers = [...queues.values()].map(queueStats)
      return { events: events.size, handlers: handlers.toSorted((a, b) => (a.handler < b.handler ? -1 : 1)) }
    },

    tend: createTending(store, clock, {
      assertOpen,
      wake: () => watchers.wake(),
      judged: () => judged.at(clock.now()),
    }),

    async [Symbol.asyncDispose]() {
      closed = true
      watchers.clear()
    },
  }
}
