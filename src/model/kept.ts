import type { DeliveryState } from './delivery-state.ts'
import type { Failure } from './outcome.ts'
import type { EventKey } from './event-key.ts'
import type { Source } from './arrival.ts'

/** An event as the inbox keeps it. */
export interface Kept {
  /** Makes it the same event in every copy that FusionAuth sends. */
  readonly key: EventKey
  /** As FusionAuth sent it, whether this version lists it or not. */
  readonly type: string
  /** How it came to the inbox. */
  readonly source: Source
  /** Epoch ms. */
  readonly receivedAt: number
  /** When it was on disk, which is when it was answered, epoch ms. */
  readonly keptAt?: number
  /** Bytes of its body. */
  readonly size: number
  /** Absent where it was not asked for, and once it is gone. */
  readonly body?: Uint8Array
  /** It has no body any more, or (`unwanted`) never had one here. What is left tells a resend from news. */
  readonly gone?: Gone
  /** Why it has no deliveries, if it was not accepted. */
  readonly refused?: string
  /** Why it has no deliveries, if it was set aside. */
  readonly aside?: Aside
  /** One for each handler that asked for it when it was kept. */
  readonly deliveries: readonly KeptDelivery[]
}

/** `unwanted`: a gate let it pass, no handler asked for it, and `keep: 'handled'` keeps no body then. */
export type Gone = 'pruned' | 'erased' | 'unwanted'

/** Stands in `Kept.refused` when the words of the refusal were erased with the person. The event stays refused. */
export const refusalErased = 'erased'

/**
 * `conflict`: another event was here before under its key. `stale`: older than what the inbox remembers, so it may be a copy of what was
 * pruned. `quarantined`: its row could not be stored.
 */
export type Aside = 'conflict' | 'stale' | 'quarantined'

/** What became of an event for one handler. */
export interface KeptDelivery {
  /** The handler's name. */
  readonly handler: string
  /** Where it stands now. */
  readonly state: DeliveryState
  /** Attempts so far, also those that a crash cut off. */
  readonly attempts: number
  /** Why it ended where it did: a dead letter's reason, `skipped`, `erased`, or `gone` (its event had no body when it was claimed). */
  readonly reason?: string
  /** The last failures, oldest first, at most 10. */
  readonly failures: readonly Failure[]
}
