import { isTransactional } from '../../events/catalogue.ts'
import { hasRoom, pressureLimit } from '../../model/has-room.ts'
import type { Failure } from '../../model/outcome.ts'
import type { Subscription } from '../../model/subscription.ts'
import type { Arrival } from '../../model/arrival.ts'
import { keyText } from '../../model/event-key.ts'
import { type Aside, type Gone, refusalErased } from '../../model/kept.ts'
import { wants } from '../../model/wants.ts'

/** All that the inbox holds. */
export interface Store {
  readonly events: Map<string, StoredEvent>
  /** What came under a known key with another body, or is older than what the inbox remembers. */
  asides: { readonly kind: Aside; readonly position: number; arrival: Arrival }[]
  /** What each handler has still to do. */
  readonly queues: Map<string, Queue>
  /** Until when events of a person are to be blanked: by user id and tenant. */
  readonly erased: Map<string, number>
  /** Of erasures that have not ended: by user id and tenant. */
  readonly erasureNotes: Map<string, Uint8Array>
  positions: number
  maxBytes: number
  /** Tells that settled events should be pruned now. */
  pressed: () => void
}

export interface StoredEvent {
  arrival: Arrival
  readonly position: number
  readonly keptAt: number
  gone?: Gone
  deliveries: Delivery[]
}

/** What one handler has still to do. */
export interface Queue {
  subscription: Subscription
  /** Appended, or replayed, and not looked at since. */
  intake: Delivery[]
  /** The first of each lane, and whatever has no lane. */
  readonly heads: Set<Delivery>
  /** A lane's deliveries in order: its head, then the parked ones. */
  readonly lanes: Map<string, Delivery[]>
  readonly dead: Set<Delivery>
  /** For how long others have been delivering since a process last ran it. */
  idleMs: number
  /** Since when it gets no deliveries. */
  abandonedAt?: number
}

export interface Delivery {
  readonly event: StoredEvent
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
  /** The token of the lease whose expiry was counted last in `crashes`. Absent once that crash was taken back. */
  crashedToken?: number
  /** Of a suspect: how many were leased together when their process ended. Otherwise 0. */
  company: number
  /** When it first failed. */
  failingSince?: number
  /** Of a head: since when failing deliveries have held its lane without a success between. */
  heldSince?: number
  failures: readonly Failure[]
  reason?: string
}

export function createStore(): Store {
  return {
    events: new Map(),
    asides: [],
    queues: new Map(),
    erased: new Map(),
    erasureNotes: new Map(),
    positions: 0,
    maxBytes: Infinity,
    pressed() {},
  }
}

export function createQueue(subscription: Subscription): Queue {
  return { subscription, intake: [], heads: new Set(), lanes: new Map(), dead: new Set(), idleMs: 0 }
}

/** Keeps an event as new, with a delivery for each handler that wants it. */
export function storeEvent(store: Store, arrival: Arrival, now: number): void {
  const event: StoredEvent = { arrival, position: ++store.positions, keptAt: now, deliveries: [] }
  store.events.set(keyText(arrival.key), event)
  if (isErased(store, arrival)) blankEvent(event, 'erased')
  else if (arrival.refused === undefined) {
    for (const queue of store.queues.values()) if (queueWants(queue, arrival)) addDelivery(event, queue)
  }
}

/** Keeps only what tells a resend from news. */
export function storeKey(store: Store, arrival: Arrival, now: number): void {
  const event: StoredEvent = { arrival, position: ++store.positions, keptAt: now, deliveries: [] }
  blankEvent(event, 'unwanted')
  store.events.set(keyText(arrival.key), event)
}

export function isFull(store: Store, { type }: Pick<Arrival, 'type'>): boolean {
  return store.maxBytes !== Infinity && !hasRoom(bytesOf(store), store.maxBytes, isTransactional(type))
}

/** Whether settled events should go before their time. */
export function isPressed(store: Store, maxBytes: number): boolean {
  return maxBytes !== Infinity && bytesOf(store) > pressureLimit(maxBytes)
}

function bytesOf({ events }: Store): number {
  return [...events.values()].reduce((sum, { arrival }) => sum + arrival.body.length, 0)
}

/** No subscription wants it, and it asked not to be kept whole then. */
export function isUnwanted(store: Store, arrival: Arrival): boolean {
  if (arrival.ifUnwanted === undefined || arrival.refused !== undefined || isErased(store, arrival))
    return false
  return ![...store.queues.values()].some((queue) => queueWants(queue, arrival))
}

/** Puts a delivery of this event into the handler's intake, at the event's place. */
export function addDelivery(event: StoredEvent, queue: Queue): void {
  const lane = queue.subscription.ordering === 'none' ? undefined : event.arrival.lane
  const delivery: Delivery = {
    event,
    queue,
    ...(lane !== undefined && { lane }),
    state: 'waiting',
    dueAt: 0,
    leased: false,
    token: 0,
    attempts: 0,
    crashes: 0,
    company: 0,
    failures: [],
  }
  event.deliveries.push(delivery)
  addToIntake(delivery)
}

export function addToIntake(delivery: Delivery): void {
  const { intake } = delivery.queue
  const last = intake.at(-1)
  intake.push(delivery)
  if (last !== undefined && last.event.position > delivery.event.position) intake.sort(byPosition)
}

export function byPosition(a: Delivery, b: Delivery): number {
  return a.event.position - b.event.position
}

/** Whether the event gets a delivery in this queue: an abandoned handler gets none. */
export function queueWants({ subscription, abandonedAt }: Queue, arrival: Arrival): boolean {
  return abandonedAt === undefined && wants(subscription, arrival)
}

/** Leaves of an event what tells a resend from news. */
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

/** By whom and where a person's erasure is remembered. */
export function personText(subject: string, tenantId: string | undefined): string {
  return `${subject}/${tenantId ?? '*'}`
}

export function isErased({ erased }: Store, { key, receivedAt, subjects }: Arrival): boolean {
  const at = key.createInstant === 0 ? receivedAt : key.createInstant
  return subjects.some((subject) =>
    [personText(subject, undefined), personText(subject, key.tenantId)].some(
      (person) => at <= (erased.get(person) ?? -Infinity),
    ),
  )
}

/** A delivery that never became a head: out of the intake or its lane. */
export function removeWaiting(delivery: Delivery): void {
  const { queue, lane } = delivery
  queue.intake = queue.intake.filter((one) => one !== delivery)
  const parked = lane === undefined ? undefined : queue.lanes.get(lane)
  const index = parked?.indexOf(delivery) ?? -1
  if (index > 0) parked?.splice(index, 1)
}
