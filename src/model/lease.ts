import type { Source } from './arrival.ts'
import type { EventKey } from './event-key.ts'

/** The right to attempt one delivery, for a limited time and for one worker. */
export interface Lease {
  readonly handler: string
  /** The event's place in the inbox: events received earlier have lower ones. */
  readonly position: number
  /** Every change of the delivery names the token: only the holder of the current one may change it. */
  readonly token: string
  /** From 1. Counts this attempt, but no attempt that was released. */
  readonly attempt: number
  /** Ms since this delivery first failed; 0 when it has not failed. */
  readonly failingForMs: number
  /** For how long, in ms, failing deliveries have blocked this lane without a success between them; without a lane, this delivery. 0: not blocked. */
  readonly laneHeldForMs: number
  /** A suspect that was leased alone: if this lease expires, that counts as a crash of the delivery. */
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
