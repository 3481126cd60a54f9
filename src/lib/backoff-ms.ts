const firstMs = 1000
const capMs = 60 * 60_000

/**
 * How long to wait after a failed attempt: exponential with full jitter, so that what failed together does not come back together.
 * Anything up to 1 s after the first, doubling to anything up to an hour.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return Math.round(random() * longestBackoffMs(attempt))
}

export function longestBackoffMs(attempt: number): number {
  return Math.min(capMs, firstMs * 2 ** (attempt - 1))
}
