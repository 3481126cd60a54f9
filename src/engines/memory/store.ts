import type { Failure } from '../../model/outcome.ts'
import type { Subscription } from '../../model/subscription.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { Aside, Gone } from '../../model/kept.ts'

/** Everything that the inbox holds. */
export interface Store {
  /** By `keyText`. */
  readonly events: Map<string, StoredEvent>
  readonly setAside: SetAside[]
  /** By handler. */
  readonly queues: Map<string, Queue>
  /** When a person was erased, epoch ms, by `personText`. */
  readonly erased: Map<string, number>
  /** Notes of erasures that have not ended, by `personText`. */
  readonly erasureNotes: Map<string, Uint8Array>
  /** The position of the newest event. */
  positions: number
  maxBytes: number
  /** Reports that settled events should be pruned now. */
  reportPressure: () => void
}

export interface StoredEvent {
  arrival: Arrival
  readonly position: number
  /** Epoch ms. */
  readonly keptAt: number
  gone?: Gone
  deliveries: Delivery[]
}

/** An event that is kept without deliveries: its key is known with another body, or it is older than the keys that are remembered. */
export interface SetAside {
  readonly kind: Aside
  readonly position: number
  arrival: Arrival
}

/** The deliveries of one handler that have not ended, and its dead letters. */
export interface Queue {
  subscription: Subscription
  /** Appended or replayed deliveries that no claim has admitted yet. */
  intake: Delivery[]
  /** The first delivery of each lane, and all deliveries without a lane. */
  readonly heads: Set<Delivery>
  /** The deliveries of a lane in order: its head, then the parked ones. */
  readonly lanes: Map<string, Delivery[]>
  readonly dead: Set<Delivery>
  /** How long other processes have been delivering since a process last ran this handler. */
  idleMs: number
  /** Epoch ms. Since then it gets no deliveries. */
  abandonedAt?: number
}

export interface Delivery {
  readonly event: StoredEvent
  readonly queue: Queue
  readonly lane?: string
  state: 'waiting' | 'succeeded' | 'dead'
  /** Epoch ms. Of a leased delivery: when its lease expires. Otherwise: when it may be claimed. */
  dueAt: number
  leased: boolean
  /** Counts the leases. Only the latest one may change the delivery. */
  token: number
  attempts: number
  crashes: number
  /** The token of the lease whose expiry was counted last in `crashes`. Absent once that crash was taken back. */
  crashedToken?: number
  /** Of a suspect: how many deliveries were leased together when their process ended. Otherwise 0. */
  company: number
  /** When the delivery first failed, epoch ms. */
  failingSince?: number
  /** Of a head: since when failing deliveries have held the lane without a success in between, epoch ms. */
  heldSince?: number
  failures: readonly Failure[]
  reason?: string
}

export function createStore(): Store {
  return {
    events: new Map(),
    setAside: [],
    queues: new Map(),
    erased: new Map(),
    erasureNotes: new Map(),
    positions: 0,
    maxBytes: Infinity,
    reportPressure() {},
  }
}

export function createQueue(subscription: Subscription): Queue {
  return { subscription, intake: [], heads: new Set(), lanes: new Map(), dead: new Set(), idleMs: 0 }
}
