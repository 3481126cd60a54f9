/**
 * How long other processes must have been delivering, in ms, before a handler that no process runs is abandoned. Time during which no
 * process ran does not count, nor does what a clock says.
 */
export const abandonAfterMs: number = 7 * 24 * 60 * 60_000

/** A handler and how long other processes have been delivering since a process last ran it. */
export interface IdleHandler {
  readonly handler: string
  readonly idleMs: number
  readonly abandoned: boolean
}

/** One step of ending what waits for abandoned handlers. */
export interface AbandonStep {
  /** Deliveries that ended as `abandoned`. */
  readonly deliveries: number
  /** Whether others still wait. */
  readonly more: boolean
}
