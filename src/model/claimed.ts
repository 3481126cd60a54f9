import type { EventKey } from './event-key.ts'
import type { Lease } from './lease.ts'

/** The result of one claim. */
export interface Claimed {
  readonly leases: readonly Lease[]
  /** After how many ms a claim can first return more, if the engine wakes nobody before: 0 when more is due now, absent when nothing waits. */
  readonly nextInMs?: number
  /** `leases` are suspects; or, when the claim was told to lease none, suspects are due. */
  readonly suspects?: boolean
  /** Deliveries that this claim made dead letters because their attempts were cut off. */
  readonly crashed: readonly Crashed[]
  /** Deliveries that this claim ended, with the reason `gone`, because the body of their event is no longer in the inbox. Absent: none. */
  readonly gone?: readonly EndedWithoutBody[]
}

/** A delivery that became a dead letter because the process ended during its attempts. */
export interface Crashed {
  readonly handler: string
  readonly key: EventKey
  readonly reason: 'crashed' | 'interrupted'
}

/** A delivery that a claim ended because the body of its event is no longer in the inbox. */
export interface EndedWithoutBody {
  readonly handler: string
  readonly position: number
}
