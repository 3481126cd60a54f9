import { missingPath } from '../events/missing-path.ts'
import { readEvent } from '../events/read-event.ts'
import type { Clock } from '../lib/clock.ts'
import { type TimeoutOptions, withTimeout } from '../lib/with-timeout.ts'
import type { Engine } from '../model/engine.ts'
import { FusewireError, wrongOption } from '../model/errors.ts'
import { idempotencyKey } from '../model/event-key.ts'
import type { Lease } from '../model/lease.ts'
import type { AttemptEnd } from '../model/observer.ts'
import type { ParsedEvent } from '../model/parsed-event.ts'
import type { HandlerRun, RegisteredHandler } from '../model/registered-handler.ts'
import { failureOf } from './failure-of.ts'
import { isLastAttempt, outcomeOfError } from './outcome-of-error.ts'

/** One run of a handler for one delivery. */
export interface Attempt {
  readonly lease: Lease
  readonly handler: RegisteredHandler
  readonly engine: Engine
  readonly clock: Clock
  /** Aborts when the lease is lost or the worker stops. */
  readonly signal: AbortSignal
}

const defaultTimeoutMs = 30_000

/**
 * Runs a handler. Never rejects, whatever the handler throws and whatever the row contains. The result is an outcome to settle; `settled` when
 * the commit of an atomic handler has settled it; or `lost` when another worker holds the delivery.
 */
export async function handle(attempt: Attempt): Promise<AttemptEnd> {
  const { lease, handler, clock } = attempt
  try {
    const event = completeEvent(lease)
    if (event instanceof FusewireError) {
      return { kind: 'dead', reason: 'shape', failure: failureOf(event, clock) }
    }
    if (handler.where?.(event) === false) return { kind: 'skipped' }
    if (handler.atomic) return await runAtomic(attempt, event)
    await run(attempt, event)
    return { kind: 'succeeded' }
  } catch (error) {
    return outcomeOfError(error, lease, handler, clock)
  }
}

/** The event of a lease, or an error that names what it lacks. */
function completeEvent({ event: { body, key } }: Lease): ParsedEvent | FusewireError {
  // Typed as bytes, but a row whose body was pruned or erased has none.
  if (!(body instanceof Uint8Array)) {
    return new FusewireError('FW_SHAPE', "The event's body is no longer in the inbox.")
  }
  const event = readEvent(body, () => key.id)
  const missing = typeof event === 'string' ? 'its envelope' : missingPath(event)
  if (typeof event !== 'string' && missing === undefined) return event
  return new FusewireError('FW_SHAPE', `The event lacks ${missing}, which its type promises.`)
}

async function run(attempt: Attempt, event: ParsedEvent): Promise<void> {
  await withTimeout(timeoutOf(attempt), (signal) => attempt.handler.handle(contextOf(attempt, event, signal)))
}

/** The engine runs the handler inside the transaction that settles its lease. */
async function runAtomic(attempt: Attempt, event: ParsedEvent): Promise<'settled' | 'lost'> {
  const { engine, lease, handler } = attempt
  if (engine.atomic === undefined) {
    throw wrongOption('atomic', 'This inbox has no transaction that an atomic handler could use.')
  }
  return engine.atomic(lease, (sql) => {
    const result = withTimeout(timeoutOf(attempt), (signal) =>
      handler.handle({ ...contextOf(attempt, event, signal), sql }),
    )
    // SQLite's transaction cannot wait for a promise: the engine refuses it, and its later rejection must not count as unhandled.
    if (result instanceof Promise) result.catch(() => {})
    return result
  })
}

function timeoutOf({ handler, clock, signal }: Attempt): TimeoutOptions {
  const ms = handler.timeoutMs ?? defaultTimeoutMs
  const late = () => new FusewireError('FW_TIMEOUT', `The handler did not end within ${ms} ms.`)
  return { ms, clock, late, signal }
}

function contextOf({ lease, handler }: Attempt, event: ParsedEvent, signal: AbortSignal): HandlerRun {
  return {
    event,
    body: lease.event.body,
    attempt: lease.attempt,
    isLastAttempt: isLastAttempt(lease, handler),
    idempotencyKey: idempotencyKey(lease.event.key, handler.name),
    receivedAt: lease.event.receivedAt,
    signal,
  }
}
