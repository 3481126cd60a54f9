import type { EventKey, Source } from './event.ts'

/** A handler as the inbox knows it: what it wants, decided when an event is appended. */
export interface Subscription {
  readonly handler: string
  readonly types: readonly string[] | '*'
  /** Only events of these tenants. Canonical like `EventKey.tenantId`. */
  readonly tenantIds?: readonly string[]
  /** Only events that name one of these applications. */
  readonly applicationIds?: readonly string[]
  /** `none`: deliveries of this handler have no lane. */
  readonly ordering: 'lane' | 'none'
}

/** `pending` waits for its turn (or its lane's), `leased` is being attempted, the others are the ends. `abandoned`: nobody ran its handler for 7 days. */
export type DeliveryState = 'pending' | 'leased' | 'succeeded' | 'dead' | 'abandoned'

/** The timed, fenced right to attempt one delivery. */
export interface Lease {
  readonly handler: string
  /** The event's place in the inbox: earlier arrivals have lower ones. */
  readonly position: number
  /** Fences every change: only the holder of the current token may change the delivery. */
  readonly token: string
  /** From 1; this attempt included, released ones not. */
  readonly attempt: number
  /** How long ago this delivery's first failure was, 0 when it has not failed. */
  readonly failingForMs: number
  /** For how long failing deliveries have held this lane (this delivery, without a lane) without a success between, 0 when none has. */
  readonly laneHeldForMs: number
  /** A suspect that was leased by itself: when this lease expires, that counts as a crash of the delivery. */
  readonly alone?: true
  readonly event: LeasedEvent
}

export interface LeasedEvent {
  readonly key: EventKey
  readonly type: string
  readonly source: Source
  readonly receivedAt: number
  readonly body: Uint8Array
  /** As it was appended. */
  readonly trace?: string
}

export interface Claimed {
  readonly leases: readonly Lease[]
  /** When claiming again can first give more, without a wake: 0 when more is due now, absent when nothing waits. */
  readonly nextInMs?: number
  /** These leases are suspects, or, when the claim was to lease none, suspects are due. */
  readonly suspects?: boolean
  /** What this claim gave up because attempts were cut off. */
  readonly crashed: readonly Crashed[]
  /** What this claim ended, with the reason `gone`, because the body of its event is not in the inbox. Absent: none. */
  readonly gone?: readonly EndedWithoutBody[]
}

/** A delivery that was given up because the process ended during its attempts. */
export interface Crashed {
  readonly handler: string
  readonly key: EventKey
  readonly reason: 'crashed' | 'interrupted'
}

/** A delivery that a claim ended because the body of its event is not in the inbox. */
export interface EndedWithoutBody {
  readonly handler: string
  readonly position: number
}

/** How an attempt ended. */
export type Outcome =
  | { readonly kind: 'succeeded' }
  /** The handler's `where` said no. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly failure: Failure }
  /** No attempt was made: asked again later, the attempt uncounted. */
  | { readonly kind: 'wait'; readonly afterMs: number }
  /** Given up; its lane goes on. */
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly failure?: Failure }

/**
 * Why a delivery was given up. `crashed`: its process ended three times while it ran alone. `interrupted`: its process ended during the
 * last attempt that `maxAttempts` allows. `shape`: a path its type promises is missing.
 */
export type DeadReason = 'failed' | 'permanent' | 'crashed' | 'interrupted' | 'shape'

/** What an attempt threw, bounded by whoever makes it. */
export interface Failure {
  /** Epoch ms. */
  readonly at: number
  readonly message: string
  readonly stack?: string
}

/** What a drain did, and what is left. */
export interface Drained {
  readonly succeeded: number
  /** Failed, and due again later. */
  readonly retrying: number
  /** Given up. */
  readonly dead: number
  /** Deliveries in the inbox that have not ended, due or not. */
  readonly remaining: number
}
