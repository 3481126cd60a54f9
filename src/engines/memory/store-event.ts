import type { Arrival } from '../../model/arrival.ts'
import { keyText } from '../../model/event-key.ts'
import { type Gone, refusalErased } from '../../model/kept.ts'
import { wants } from '../../model/wants.ts'
import { addDelivery } from './add-delivery.ts'
import { isErased } from './is-erased.ts'
import type { Queue, Store, StoredEvent } from './store.ts'

/** Stores a new event, with a delivery for each handler that wants it. An event of an erased person is stored blank. */
export function storeEvent(store: Store, arrival: Arrival, now: number): void {
  const event: StoredEvent = { arrival, position: ++store.positions, keptAt: now, deliveries: [] }
  store.events.set(keyText(arrival.key), event)
  if (isErased(store, arrival)) blankEvent(event, 'erased')
  else if (arrival.refused === undefined) {
    for (const queue of store.queues.values()) if (queueWants(queue, arrival)) addDelivery(event, queue)
  }
}

/** Stores only the key and the hash, so that a resend is recognised. */
export function storeKey(store: Store, arrival: Arrival, now: number): void {
  const event: StoredEvent = { arrival, position: ++store.positions, keptAt: now, deliveries: [] }
  blankEvent(event, 'unwanted')
  store.events.set(keyText(arrival.key), event)
}

/** Whether the arrival asks not to be kept whole (`ifUnwanted`), and no handler wants it. */
export function isUnwanted(store: Store, arrival: Arrival): boolean {
  if (arrival.ifUnwanted === undefined || arrival.refused !== undefined || isErased(store, arrival))
    return false
  return ![...store.queues.values()].some((queue) => queueWants(queue, arrival))
}

/** Whether the event gets a delivery in this queue: an abandoned handler gets none. */
export function queueWants({ subscription, abandonedAt }: Queue, arrival: Arrival): boolean {
  return abandonedAt === undefined && wants(subscription, arrival)
}

/** Deletes everything of an event except for what recognises a resend: key and hash. */
export function blankEvent(event: StoredEvent, gone: Gone): void {
  const { key, type, source, receivedAt, hash, refused } = event.arrival
  event.arrival = {
    key,
    type,
    source,
    receivedAt,
    hash,
    body: Buffer.alloc(0),
    applicationIds: [],
    subjects: [],
    ...(refused !== undefined && { refused: refusalErased }),
  }
  event.gone = gone
}
