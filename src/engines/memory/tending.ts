import type { Clock } from '../../lib/clock.ts'
import { keyText } from '../../model/event-key.ts'
import { asidesOf, type Filter, fits, replayOf } from '../../model/filter.ts'
import type { Kept } from '../../model/kept.ts'
import { type Receipt, receiptLimit } from '../../model/receipt.ts'
import {
  fateOf,
  keysOutliveMs,
  prunableUntil,
  type ReceivedBefore,
  type Retention,
} from '../../model/retention.ts'
import { type Node, nodeOutlivesMs } from '../../model/stats.ts'
import { pageOf } from '../../model/page-of.ts'
import type { Page, Paging, Tending } from '../../model/tending.ts'
import { abandon, countIdle, markRun } from './abandon.ts'
import { resetDelivery } from './reset-delivery.ts'
import { endHead } from './claim.ts'
import { overview } from './overview.ts'
import { keptOf, keptSetAsideOf } from './kept-of.ts'
import {
  blankEvent,
  addDelivery,
  removeWaiting,
  isPressed,
  storeEvent,
  type StoredEvent,
  personText,
  type Store,
  queueWants,
} from './store.ts'

/** How many events one call looks at. */
const stepLimit = 500

export function createTending(
  store: Store,
  clock: Clock,
  {
    assertOpen,
    wake,
    judged,
  }: {
    readonly assertOpen: () => void
    readonly wake: () => void
    /** The time by which events are judged to be old, in epoch ms. */
    readonly judged: () => number
  },
): Tending {
  const { events, queues, erased } = store
  const receipts: Placed<Receipt>[] = []
  const nodes = new Map<string, Node & { readonly seenAt: number }>()
  const duties = new Map<string, { readonly nodeId: string; readonly until: number }>()
  let recorded = 0

  /** What a filter is asked of: events, or what was set aside. */
  function candidates(where: Filter): readonly Found[] {
    const kinds = asidesOf(where)
    if (kinds.length === 0) return [...events.values()]
    return store.asides.filter(({ kind }) => kinds.includes(kind))
  }

  function names(found: Found, { userId }: Filter): boolean {
    return userId === undefined || found.arrival.subjects.includes(userId)
  }

  function replayEvent(event: StoredEvent, where: Filter): number {
    const { ended, missing } = replayOf(keptOf(event, false), where)
    const again_ = event.deliveries.filter(
      ({ queue }) =>
        queue.abandonedAt === undefined &&
        ended.some(({ handler }) => handler === queue.subscription.handler),
    )
    const made = missing ? makeMissing(event, where.handler) : 0
    for (const delivery of again_) resetDelivery(delivery)
    if (made > 0) event.arrival = accepted(event)
    return again_.length + made
  }

  function makeMissing(event: StoredEvent, only: string | undefined): number {
    const missing = [...queues.values()].filter((queue) => {
      const { handler } = queue.subscription
      const has = event.deliveries.some((delivery) => delivery.queue === queue)
      return !has && (only === undefined || only === handler) && queueWants(queue, event.arrival)
    })
    for (const queue of missing) addDelivery(event, queue)
    return missing.length
  }

  /** It becomes an event of its own: its key is taken, so the hash of its body stands for its id. */
  function replayAside(aside: Store['asides'][number]): number {
    const { arrival } = aside
    const key = { ...arrival.key, id: `sha256:${Buffer.from(arrival.hash).toString('hex')}` }
    store.asides.splice(store.asides.indexOf(aside), 1)
    storeEvent(store, { ...arrival, key }, clock.now())
    return events.get(keyText(key))?.deliveries.length ?? 0
  }

  /** Ends what has not ended, so that the lane goes on, and forgets the rest. */
  function endDeliveries({ deliveries }: StoredEvent): number {
    const waiting = deliveries.filter(({ state }) => state === 'waiting')
    for (const delivery of waiting) {
      delivery.token++
      if (delivery.queue.heads.has(delivery)) endHead(delivery, 'succeeded', clock.now(), 'erased')
      else removeWaiting(delivery)
      delivery.state = 'succeeded'
      delivery.reason = 'erased'
    }
    for (const delivery of deliveries) {
      delivery.failures = []
      delivery.queue.dead.delete(delivery)
    }
    return waiting.length
  }

  function isPressedBy(what: Retention | ReceivedBefore): boolean {
    return 'maxBytes' in what && what.maxBytes !== undefined && isPressed(store, what.maxBytes)
  }

  function pruneOne(found: Found, given: Retention | ReceivedBefore): boolean {
    const now = judged()
    const what = isPressedBy(given)
      ? { ...given, types: {}, settledMs: -Infinity, unhandledMs: -Infinity }
      : given
    const until = prunableUntil(what, now)
    if ('kind' in found) {
      if (found.arrival.receivedAt > until(found.arrival.type, 'aside')) return false
      store.asides.splice(store.asides.indexOf(found), 1)
      return true
    }
    if (found.gone === 'unwanted' && found.arrival.receivedAt <= until('', 'unhandled')) {
      events.delete(keyText(found.arrival.key))
      return false
    }
    if (found.gone !== undefined) {
      const { createInstant } = found.arrival.key
      const since = createInstant === 0 ? found.arrival.receivedAt : createInstant
      if (now - since > keysOutliveMs) events.delete(keyText(found.arrival.key))
      return false
    }
    if (found.arrival.receivedAt > until(found.arrival.type, fateOf(keptOf(found, false)))) return false
    for (const delivery of found.deliveries) {
      delivery.queue.dead.delete(delivery)
    }
    // A refused event may still come again and be accepted: it leaves nothing.
    if (found.arrival.refused !== undefined) events.delete(keyText(found.arrival.key))
    found.deliveries = []
    blankEvent(found, 'pruned')
    return true
  }

  return {
    async find(where, paging) {
      assertOpen()
      const isMeant = (found: Found) => !('gone' in found && found.gone !== undefined) && names(found, where)
      return pageAfter(
        candidates(where)
          .filter(isMeant)
          .map(placed(paging.bodies === true)),
        paging,
        (item) => fits(item, where),
      )
    },

    async overview() {
      assertOpen()
      const now = clock.now()
      const there = [...nodes.values()].filter(({ seenAt }) => seenAt > now - nodeOutlivesMs)
      return overview(store, there, now)
    },

    async replay(where, after) {
      assertOpen()
      const { items: step, next } = stepAfter(candidates(where), after)
      let deliveries = 0
      for (const found of step) {
        if (!names(found, where)) continue
        if (!('kind' in found)) deliveries += found.gone === undefined ? replayEvent(found, where) : 0
        else if (replayOf(keptSetAsideOf(found, false), where).missing) deliveries += replayAside(found)
      }
      wake()
      return { deliveries, ...(next !== undefined && { next }) }
    },

    async prune(what, after) {
      assertOpen()
      const { items: step, next } = stepAfter([...events.values(), ...store.asides], after)
      const pressed = isPressedBy(what)
      const pruned = step.filter((found) => pruneOne(found, what)).length
      return { events: pruned, pressed, ...(next !== undefined && { next }) }
    },

    async erase({ userId, tenantId }, after) {
      assertOpen()
      erased.set(personText(userId, tenantId), clock.now())
      const isOf = ({ arrival: { subjects, key } }: Found) =>
        subjects.includes(userId) && (tenantId === undefined || tenantId === key.tenantId)
      const { items: step, next } = stepAfter([...events.values(), ...store.asides], after)
      const gone = step.filter(isOf)
      let deliveries = 0
      for (const found of gone) {
        if ('kind' in found) store.asides.splice(store.asides.indexOf(found), 1)
        else {
          deliveries += endDeliveries(found)
          blankEvent(found, 'erased')
        }
      }
      wake()
      return { events: gone.length, deliveries, ...(next !== undefined && { next }) }
    },

    async noteErasure(person, note) {
      assertOpen()
      erased.set(personText(person.userId, person.tenantId), clock.now())
      store.erasureNotes.set(personText(person.userId, person.tenantId), note)
    },

    async findErasureNote(person) {
      assertOpen()
      return store.erasureNotes.get(personText(person.userId, person.tenantId))
    },

    async endErasure(person) {
      assertOpen()
      store.erasureNotes.delete(personText(person.userId, person.tenantId))
    },

    async scrub() {
      assertOpen()
      return 'scrubbed'
    },

    async record(given) {
      assertOpen()
      receipts.push(...given.map((item) => ({ position: ++recorded, item })))
      receipts.splice(0, receipts.length - receiptLimit)
    },

    async receipts(paging) {
      assertOpen()
      return pageAfter(receipts, paging, () => true)
    },

    async beat(node) {
      assertOpen()
      nodes.set(node.id, { ...node, seenAt: clock.now() })
      for (const queue of queues.values())
        if (node.handlers.includes(queue.subscription.handler)) markRun(queue)
    },

    async leave(nodeId) {
      assertOpen()
      nodes.delete(nodeId)
    },

    async countIdle(ms) {
      assertOpen()
      const now = clock.now()
      const live = [...nodes.values()].filter(({ seenAt }) => seenAt > now - nodeOutlivesMs)
      return countIdle(store, new Set(live.flatMap(({ handlers }) => handlers)), ms, now)
    },

    async abandon() {
      assertOpen()
      return abandon(store, clock.now())
    },

    limit(maxBytes, pressed) {
      store.maxBytes = maxBytes
      store.pressed = pressed
    },

    async hold(duty, nodeId, forMs) {
      assertOpen()
      const holder = duties.get(duty)
      if (holder !== undefined && holder.nodeId !== nodeId && holder.until > clock.now()) return false
      duties.set(duty, { nodeId, until: clock.now() + forMs })
      return true
    },
  }
}

type Found = StoredEvent | Store['asides'][number]

interface Placed<T> {
  readonly position: number
  readonly item: T
}

function placed(bodies: boolean): (found: Found) => Placed<Kept> {
  return (found) => ({
    position: found.position,
    item: 'kind' in found ? keptSetAsideOf(found, bodies) : keptOf(found, bodies),
  })
}

/** A page in the order asked for, from behind `after`. */
function pageAfter<T>(
  all: readonly Placed<T>[],
  { limit, after, order = 'newest' }: Paging,
  isWanted: (item: T) => boolean,
): Page<T> {
  const sign = order === 'newest' ? -1 : 1
  const rest = all
    .filter(({ position }) => after === undefined || sign * (position - Number(after)) > 0)
    .filter(({ item }) => isWanted(item))
    .toSorted((a, b) => sign * (a.position - b.position))
  const { items, ...page } = pageOf(rest, limit, ({ position }) => position)
  return { ...page, items: items.map(({ item }) => item) }
}

/** As many as one call looks at, oldest first, from behind `after`. */
function stepAfter(all: readonly Found[], after: string | undefined): Page<Found> {
  const rest = all
    .filter(({ position }) => position > Number(after ?? 0))
    .toSorted((a, b) => a.position - b.position)
  return pageOf(rest, stepLimit, ({ position }) => position)
}

/** No longer refused: a person overruled the gate. */
function accepted({ arrival }: StoredEvent): StoredEvent['arrival'] {
  const { refused: _, ...rest } = arrival
  return rest
}
