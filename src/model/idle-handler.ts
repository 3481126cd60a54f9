/**
 * How long other processes must have been delivering, in ms, before a handler that no process runs is abandoned. Time during which no
 * process ran does not count, and neither does a clock that jumps.
 */
export const abandonAfterMs: number = 7 * 24 * 60 * 60_000

/** A handler, and for how long other processes have been delivering since a process last ran it. */
export interface IdleHandler {
  readonly handler: string
  readonly idleMs: number
  readonly abandoned: boolean
}

/** The result of one step that ends the pending deliveries of abandoned handlers. */
export interface AbandonStep {
  /** Deliveries that ended as `abandoned`. */
  readonly deliveries: number
  /** Whether other deliveries of abandoned handlers are still pending. */
  readonly more: boolean
}
