import { type Clock, randomOf } from './clock.ts'

const firstMs = 1000
const capMs = 60 * 60_000

/**
 * How long to wait after a failed attempt: exponential with full jitter, so that deliveries that failed together are not retried together.
 * At random up to 1 s after the first failure, doubling with each attempt to at most an hour.
 */
export function backoffMs(attempt: number, clock: Clock): number {
  return Math.round(randomOf(clock) * longestBackoffMs(attempt))
}

export function longestBackoffMs(attempt: number): number {
  return Math.min(capMs, firstMs * 2 ** (attempt - 1))
}
