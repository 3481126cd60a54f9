import type { DeliveryState } from './delivery-state.ts'
import type { Failure } from './outcome.ts'
import type { EventKey } from './event-key.ts'
import type { Source } from './arrival.ts'

/** An event as the inbox stores it. */
export interface Kept {
  /** Identifies the event: the same in every copy that FusionAuth sends. */
  readonly key: EventKey
  /** As FusionAuth sent it, whether this version lists it or not. */
  readonly type: string
  /** How it came to the inbox. */
  readonly source: Source
  /** Epoch ms. */
  readonly receivedAt: number
  /** When it was on disk, just before it was answered, epoch ms. */
  readonly keptAt?: number
  /** Size of the body in bytes. */
  readonly size: number
  /** Absent when it was not requested, and after it was deleted (`gone`). */
  readonly body?: Uint8Array
  /** Why it has no body. Its key is still stored, so that a resend is recognised. */
  readonly gone?: Gone
  /** Why a gate refused it. It has no deliveries then. */
  readonly refused?: string
  /** Why it was set aside. It has no deliveries then. */
  readonly aside?: Aside
  /** One for each handler that wanted it when it was stored. */
  readonly deliveries: readonly KeptDelivery[]
}

/** `unwanted`: a gate accepted it, no handler wants it, and `keep: 'handled'` stores no body then. */
export type Gone = 'pruned' | 'erased' | 'unwanted'

/** The value of `Kept.refused` after an erasure, because the reason may name the person. The event stays refused. */
export const refusalErased = 'erased'

/**
 * Why an event was set aside. `conflict`: the inbox has another event of the same key. `stale`: so old that it may be a copy of an event whose
 * key was deleted. `quarantined`: the database rejected its row.
 */
export type Aside = 'conflict' | 'stale' | 'quarantined'

/** The delivery of an event to one handler. */
export interface KeptDelivery {
  /** The handler's name. */
  readonly handler: string
  /** Its present state. */
  readonly state: DeliveryState
  /** Attempts so far, including those that a crash cut off. */
  readonly attempts: number
  /** Why it ended: a dead letter's reason, `skipped`, `erased`, or `gone` (its event had no body when it was claimed). */
  readonly reason?: string
  /** The last failures, oldest first, at most 10. */
  readonly failures: readonly Failure[]
}
