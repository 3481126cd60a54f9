import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Failure } from '../model/outcome.ts'

const messageLimit = 1000
const stackLimit = 4000

/** The thrown value as the inbox stores it, cut to a length. */
export function failureOf(thrown: unknown, clock: Clock): Failure {
  const at = clock.now()
  const stack = stackOf(thrown)
  return { at, message: describeError(thrown, messageLimit), ...(stack !== undefined && { stack }) }
}

/** A subclass or `Error.prepareStackTrace` can make `stack` anything: an array, an object, a getter that throws. */
function stackOf(thrown: unknown): string | undefined {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined
    return typeof stack === 'string' ? stack.slice(0, stackLimit) : undefined
  } catch {
    return undefined
  }
}
