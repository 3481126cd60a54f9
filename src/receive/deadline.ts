import type { Clock } from '../lib/clock.ts'

/** Until when a request must be answered. */
export interface Deadline {
  /** Epoch ms. */
  readonly at: number
  remainingMs(): number
}

/** Counts from the moment the headers arrived: FusionAuth sends them in the first packet, and its own timeout runs from then. */
export function createDeadline(receivedAt: number, withinMs: number, clock: Clock): Deadline {
  const at = receivedAt + withinMs
  return { at, remainingMs: () => at - clock.now() }
}
