import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Failure, Lease, Outcome } from '../model/delivery.ts'
import { codeOf } from '../model/errors.ts'
import type { Handler } from '../model/registration.ts'
import { retryDelayMs } from './retry-delay.ts'

/** A handler is given up when its lane has failed for so long, and not before so many attempts. */
const giveUpAfterMs = 24 * 60 * 60_000
const giveUpAttempts = 5

/** What a thrown error means for the delivery. */
export function outcomeOf(error: unknown, lease: Lease, handler: Handler, clock: Clock): Outcome {
  const thrown = failure(error, clock)
  if (codeOf(error) === 'FW_PERMANENT') return { kind: 'dead', reason: 'permanent', failure: thrown }
  // RetryLater says when, not whether: a handler that throws it every time would otherwise hold its lane for ever.
  if (isLast(lease, handler)) return { kind: 'dead', reason: 'failed', failure: thrown }
  return { kind: 'retry', afterMs: retryDelayMs(error, lease.attempt, clock), failure: thrown }
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

/** `stack` is whatever a subclass or `Error.prepareStackTrace` made of it: an array, an object, a getter that throws. */
function stackOf(thrown: unknown): string | undefined {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined
    return typeof stack === 'string' ? stack.slice(0, 4000) : undefined
  } catch {
    return undefined
  }
}
