import type { Clock } from '../lib/clock.ts'

/** When the sender stops waiting, counted from the moment its headers were there: FusionAuth sends them in the first packet. */
export interface Deadline {
  /** Epoch ms. */
  readonly at: number
  remainingMs(): number
}

export function deadlineOf(receivedAt: number, withinMs: number, clock: Clock): Deadline {
  const at = receivedAt + withinMs
  return { at, remainingMs: () => at - clock.now() }
}
