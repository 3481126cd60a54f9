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
import { keptOf } from './kept-of.ts'
import { isErased } from './is-erased.ts'
import { isFull, isPressed } from './is-full.ts'
import { queueStats } from './queue-stats.ts'
import { createQueue, createStore, type Delivery } from './store.ts'
import { isUnwanted, storeEvent, storeKey } from './store-event.ts'
import { createTending } from './tending.ts'

/**
 * An inbox in memory, lost when the process ends: for tests. It is also the shortest engine to read; the others do the same on a database.
 *
 * @param options `clock`: where the inbox reads its time. Default: the machine's clock.
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: memory() })
 */
export function memory({ clock = systemClock }: { clock?: Clock } = {}): Engine<never> {
  // `append` only adds each event's deliveries to the intakes of their handlers, in order. `claim` first admits the intake: a delivery
  // becomes the head of its lane, or is parked behind the head. Only heads are leased. A lease is a token and a due time in the future, so
  // that readiness, retry and expiry are one comparison of due times. `settle` ends the head, and the first parked delivery becomes the head.
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

  /** Keeps an event without deliveries. Copies with the same bytes are kept once. */
  function setAside(kind: 'conflict' | 'stale', arrival: Arrival): Appended {
    const known = store.setAside.find((one) => Buffer.compare(one.arrival.hash, arrival.hash) === 0)
    if (known === undefined && !isErased(store, arrival)) {
      store.setAside.push({ kind, position: ++store.positions, arrival })
    }
    // A gate that refused these bytes has now accepted them.
    if (known !== undefined && arrival.refused === undefined) known.arrival = arrival
    return kind
  }

  function deliveryOf(lease: Lease): Delivery | undefined {
    return events
      .get(keyText(lease.event.key))
      ?.deliveries.find((d) => d.queue.subscription.handler === lease.handler)
  }

  /**
   * Takes a counted crash back before it answers, once for each lease: the process that held this lease still runs, so the lease expired
   * without a crash.
   */
  function answerLost(lease: Lease): 'lost' {
    const delivery = deliveryOf(lease)
    if (lease.alone !== true || delivery === undefined) return 'lost'
    if (String(delivery.crashedToken) !== lease.token || delivery.crashes === 0) return 'lost'
    delivery.crashes--
    delete delivery.crashedToken
    return 'lost'
  }

  /** The delivery, if the lease's token is still its latest. */
  function findHeld(lease: Lease): Delivery | undefined {
    const delivery = deliveryOf(lease)
    return delivery?.leased === true && String(delivery.token) === lease.token ? delivery : undefined
  }

  function settle({ lease, outcome }: Settlement): Settled {
    const delivery = findHeld(lease)
    if (delivery === undefined) return answerLost(lease)
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
        delivery.company = 0 // The process survived the attempt, so the delivery is no suspect any more.
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
      if (answers.includes('full') || isPressed(store, store.maxBytes)) store.reportPressure()
      return answers
    },

    async known(copies) {
      assertOpen()
      return copies.map(({ key, hash }) =>
        [events.get(keyText(key)), ...store.setAside].some(
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
        const delivery = findHeld(lease)
        if (delivery === undefined) return answerLost(lease)
        delivery.dueAt = clock.now() + leaseMs
        return 'renewed'
      })
    },

    async release(leases) {
      assertOpen()
      for (const lease of leases) {
        const delivery = findHeld(lease)
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
