import { backoffMs } from '../lib/backoff-ms.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/code-of.ts'

/** A service that answers `Retry-After: 0` must not cause a loop of attempts. */
const shortestMs = 1_000
/** As long as a delivery is retried: a longer pause would block its lane for days without an attempt. */
const longestMs = 24 * 60 * 60_000

/**
 * How long to wait after a failed attempt, in whole milliseconds: what `RetryLater` asks for, between 1 s and 24 h, else the backoff. A
 * `RetryLater` whose time is not a positive finite number (0, NaN, Infinity, an invalid or a past date) gets the backoff, at least 1 s.
 */
export function retryDelayMs(error: unknown, attempt: number, clock: Clock): number {
  const usualMs = backoffMs(attempt, clock)
  if (codeOf(error) !== 'FW_RETRY_LATER') return usualMs
  const requested = requestedMs(error, clock)
  const ms = Number.isFinite(requested) && requested > 0 ? requested : usualMs
  return Math.ceil(Math.min(longestMs, Math.max(shortestMs, ms)))
}

/** NaN when the error holds no time. It was recognised by its code, so it may lack the rest or throw from a getter. */
function requestedMs(error: unknown, clock: Clock): number {
  try {
    const { when } = error as { readonly when?: unknown }
    if (typeof when !== 'object' || when === null) return NaN
    const { afterMs, at } = when as { readonly afterMs?: unknown; readonly at?: unknown }
    if (typeof afterMs === 'number') return afterMs
    return at instanceof Date ? at.getTime() - clock.now() : NaN
  } catch {
    return NaN
  }
}
