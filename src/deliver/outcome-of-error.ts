import { longestBackoffMs } from '../lib/backoff-ms.ts'
import type { Clock } from '../lib/clock.ts'
import { codeOf } from '../lib/code-of.ts'
import type { Lease } from '../model/lease.ts'
import type { Outcome } from '../model/outcome.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { failureOf } from './failure-of.ts'
import { retryDelayMs } from './retry-delay-ms.ts'

/** A delivery becomes a dead letter this long after its first failure, but not before this many attempts. */
const giveUpAfterMs = 24 * 60 * 60_000
const giveUpAttempts = 5
/** When failing deliveries have blocked a lane for this long without a success, each further one gets only its five attempts. */
const blockedLaneMs = 72 * 60 * 60_000

/** What becomes of the delivery whose attempt threw this error. */
export function outcomeOfError(
  error: unknown,
  lease: Lease,
  handler: RegisteredHandler,
  clock: Clock,
): Outcome {
  const failure = failureOf(error, clock)
  if (codeOf(error) === 'FW_PERMANENT') return { kind: 'dead', reason: 'permanent', failure }
  // RetryLater sets the time of the next attempt, not the number of attempts: a handler that always throws it would block its lane for ever.
  if (isLastAttempt(lease, handler)) return { kind: 'dead', reason: 'failed', failure }
  const delayMs = retryDelayMs(error, lease.attempt, clock)
  const afterMs = isBlockedTooLong(lease) ? Math.min(delayMs, longestBackoffMs(lease.attempt)) : delayMs
  return { kind: 'retry', afterMs, failure }
}

/** Whether a failure of this attempt makes the delivery a dead letter: by the handler's `maxAttempts`, else by time. */
export function isLastAttempt(lease: Lease, { maxAttempts }: RegisteredHandler): boolean {
  if (maxAttempts !== undefined) return lease.attempt >= maxAttempts
  return lease.attempt >= giveUpAttempts && (lease.failingForMs >= giveUpAfterMs || isBlockedTooLong(lease))
}

function isBlockedTooLong({ laneHeldForMs }: Lease): boolean {
  return laneHeldForMs >= blockedLaneMs
}
