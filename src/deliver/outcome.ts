import { longestBackoffMs } from '../lib/backoff-ms.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Failure, Outcome } from '../model/outcome.ts'
import type { Lease } from '../model/lease.ts'
import { codeOf } from '../lib/code-of.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { retryDelayMs } from './retry-delay.ts'

/** A delivery is given up this long after its own first failure, and not before so many attempts. */
const giveUpAfterMs = 24 * 60 * 60_000
const giveUpAttempts = 5
/** Once failing deliveries have held a lane for so long without a success, each further one is given up after its five attempts. */
const holdLaneMs = 72 * 60 * 60_000

/** What a thrown error means for the delivery. */
export function outcomeOf(error: unknown, lease: Lease, handler: RegisteredHandler, clock: Clock): Outcome {
  const thrown = failure(error, clock)
  if (codeOf(error) === 'FW_PERMANENT') return { kind: 'dead', reason: 'permanent', failure: thrown }
  // RetryLater says when, not whether: a handler that throws it every time would otherwise hold its lane for ever.
  if (isLast(lease, handler)) return { kind: 'dead', reason: 'failed', failure: thrown }
  const asked = retryDelayMs(error, lease.attempt, clock)
  const afterMs = isHeldTooLong(lease) ? Math.min(asked, longestBackoffMs(lease.attempt)) : asked
  return { kind: 'retry', afterMs, failure: thrown }
}

/** Whether this attempt's failure is the end: by the handler's `maxAttempts`, else by time. */
export function isLast(lease: Lease, { maxAttempts }: RegisteredHandler): boolean {
  if (maxAttempts !== undefined) return lease.attempt >= maxAttempts
  return lease.attempt >= giveUpAttempts && (lease.failingForMs >= giveUpAfterMs || isHeldTooLong(lease))
}

function isHeldTooLong({ laneHeldForMs }: Lease): boolean {
  return laneHeldForMs >= holdLaneMs
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
