import { keyText } from '../../model/event-key.ts'
import { type Filter, replayOf } from '../../model/filter.ts'
import type { Replayed } from '../../model/tending.ts'
import { addDelivery } from './add-delivery.ts'
import { candidatesOf, isSetAside, namesUser, removeSetAside, stepAfter } from './candidate.ts'
import { keptOf, keptSetAsideOf } from './kept-of.ts'
import { resetDelivery } from './reset-delivery.ts'
import type { SetAside, Store, StoredEvent } from './store.ts'
import { queueWants, storeEvent } from './store-event.ts'

/** One step of a replay. */
export function replay(store: Store, where: Filter, after: string | undefined, now: number): Replayed {
  const { items, ...page } = stepAfter(candidatesOf(store, where), after)
  let deliveries = 0
  for (const candidate of items) {
    if (!namesUser(candidate, where)) continue
    if (isSetAside(candidate)) deliveries += replaySetAside(store, candidate, where, now)
    else deliveries += candidate.gone === undefined ? replayEvent(store, candidate, where) : 0
  }
  return { ...page, deliveries }
}

function replayEvent(store: Store, event: StoredEvent, where: Filter): number {
  const { ended, missing } = replayOf(keptOf(event, false), where)
  const chosen = event.deliveries.filter(
    ({ queue }) =>
      queue.abandonedAt === undefined && ended.some(({ handler }) => handler === queue.subscription.handler),
  )
  const made = missing ? addMissing(store, event, where.handler) : 0
  for (const delivery of chosen) resetDelivery(delivery)
  if (made > 0) event.arrival = withoutRefusal(event)
  return chosen.length + made
}

/** Adds the deliveries that handlers want and never had. */
function addMissing({ queues }: Store, event: StoredEvent, only: string | undefined): number {
  const missing = [...queues.values()].filter((queue) => {
    const { handler } = queue.subscription
    const has = event.deliveries.some((delivery) => delivery.queue === queue)
    return !has && (only === undefined || only === handler) && queueWants(queue, event.arrival)
  })
  for (const queue of missing) addDelivery(event, queue)
  return missing.length
}

/** Stores a set-aside event as a new one. Another event has its key, so the hash of its body becomes its id. */
function replaySetAside(store: Store, setAside: SetAside, where: Filter, now: number): number {
  if (!replayOf(keptSetAsideOf(setAside, false), where).missing) return 0
  const { arrival } = setAside
  const key = { ...arrival.key, id: `sha256:${Buffer.from(arrival.hash).toString('hex')}` }
  removeSetAside(store, setAside)
  storeEvent(store, { ...arrival, key }, now)
  return store.events.get(keyText(key))?.deliveries.length ?? 0
}

/** A person overruled the gate that refused the event. */
function withoutRefusal({ arrival }: StoredEvent): StoredEvent['arrival'] {
  const { refused: _, ...rest } = arrival
  return rest
}
