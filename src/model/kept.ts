import type { DeliveryState, Failure } from './delivery.ts'
import type { EventKey, Source } from './event.ts'

/** An event as the inbox keeps it. */
export interface Kept {
  readonly key: EventKey
  readonly type: string
  readonly source: Source
  readonly receivedAt: number
  readonly body: Uint8Array
  /** Why it has no deliveries, if it was not accepted. */
  readonly refused?: string
  readonly deliveries: readonly KeptDelivery[]
}

export interface KeptDelivery {
  readonly handler: string
  readonly state: DeliveryState
  readonly attempts: number
  /** Why it ended where it did: a dead letter's reason, `skipped`. */
  readonly reason?: string
  /** The last failures, oldest first, at most 10. */
  readonly failures: readonly Failure[]
}
