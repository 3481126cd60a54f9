import { backoffMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Failure, Lease, Outcome } from '../model/delivery.ts'
import { codeOf, type RetryLater } from '../model/errors.ts'
import type { Handler } from '../model/registration.ts'

/** A handler is given up when its lane has failed for so long, and not before so many attempts. */
const giveUpAfterMs = 24 * 60 * 60_000
const giveUpAttempts = 5

/** What a thrown error means for the delivery. */
export function outcomeOf(error: unknown, lease: Lease, handler: Handler, clock: Clock): Outcome {
  const thrown = failure(error, clock)
  const code = codeOf(error)
  if (code === 'FW_PERMANENT') return { kind: 'dead', reason: 'permanent', failure: thrown }
  if (isLast(lease, handler)) return { kind: 'dead', reason: 'failed', failure: thrown }
  // RetryLater says when, not whether: what asks for it for ever would hold its lane for ever.
  const afterMs = code === 'FW_RETRY_LATER' ? laterMs(error, clock) : backoffMs(lease.attempt)
  return { kind: 'retry', afterMs, failure: thrown }
}

/** Whether this attempt's failure is the end: by the handler's `maxAttempts`, else by time. */
export function isLast({ attempt, failingForMs }: Lease, { maxAttempts }: Handler): boolean {
  if (maxAttempts !== undefined) return attempt >= maxAttempts
  return attempt >= giveUpAttempts && failingForMs >= giveUpAfterMs
}

/** What was thrown, bounded, to be kept with the delivery. */
export function failure(thrown: unknown, clock: Clock): Failure {
  const at = clock.now()
  const stack = stackOf(thrown)
  return { at, message: describeError(thrown, 1000), ...(stack !== undefined && { stack }) }
}

function stackOf(thrown: unknown): string | undefined {
  try {
    return thrown instanceof Error ? thrown.stack?.slice(0, 4000) : undefined
  } catch {
    return undefined // Somebody's own getter threw.
  }
}

function laterMs(error: unknown, clock: Clock): number {
  const { when } = error as Partial<RetryLater> // By its code; a look-alike may lack the rest.
  if (when === undefined) return 0
  const ms = 'afterMs' in when ? when.afterMs : when.at.getTime() - clock.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}
