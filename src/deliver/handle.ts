import { readEvent } from '../events/read-event.ts'
import { missingPath } from '../events/missing-path.ts'
import type { Clock } from '../lib/clock.ts'
import { type TimeoutOptions, withTimeout } from '../lib/with-timeout.ts'
import type { Lease } from '../model/lease.ts'
import type { Engine } from '../model/engine.ts'
import { FusewireError } from '../model/errors.ts'
import { idempotencyKey } from '../model/event-key.ts'
import type { AttemptEnd } from '../model/observer.ts'
import type { RegisteredHandler, HandlerRun, ParsedEvent } from '../model/registered-handler.ts'
import { failure, isLast, outcomeOf } from './outcome.ts'

/** What an attempt needs beside its lease. */
export interface Attempt {
  readonly lease: Lease
  readonly handler: RegisteredHandler
  readonly engine: Engine
  readonly clock: Clock
  /** Aborts when the lease is lost or the worker stops. */
  readonly signal: AbortSignal
}

const timeoutMs = 30_000

/**
 * One run of a handler at one event. Never rejects, whatever the handler throws and whatever the row holds: the result is an outcome to
 * settle, `settled` where an atomic handler's commit has settled it already, or `lost` where another worker holds the delivery.
 */
export async function handle(attempt: Attempt): Promise<AttemptEnd> {
  const { lease, handler, clock } = attempt
  try {
    const event = promisedEvent(lease)
    if (event instanceof FusewireError) {
      return { kind: 'dead', reason: 'shape', failure: failure(event, clock) }
    }
    if (handler.where?.(event) === false) return { kind: 'skipped' }
    if (handler.atomic) return await runAtomic(attempt, event)
    await run(attempt, event)
    return { kind: 'succeeded' }
  } catch (error) {
    return outcomeOf(error, lease, handler, clock)
  }
}

/** The event of a lease, or what it lacks. */
function promisedEvent({ event: { body, key } }: Lease): ParsedEvent | FusewireError {
  // Typed as bytes, but a row whose body was pruned or erased has none.
  if (!(body instanceof Uint8Array)) {
    return new FusewireError('FW_SHAPE', "The event's body is not in the inbox any more.")
  }
  const event = readEvent(body, () => key.id)
  const missing = typeof event === 'string' ? 'its envelope' : missingPath(event)
  if (typeof event !== 'string' && missing === undefined) return event
  return new FusewireError('FW_SHAPE', `The event lacks ${missing}, which its type promises.`)
}

async function run(attempt: Attempt, event: ParsedEvent): Promise<void> {
  await withTimeout(bounds(attempt), (signal) => attempt.handler.handle(contextOf(attempt, event, signal)))
}

/** The engine runs the handler inside the transaction that settles its lease. */
async function runAtomic(attempt: Attempt, event: ParsedEvent): Promise<'settled' | 'lost'> {
  const { engine, lease, handler } = attempt
  if (engine.atomic === undefined) {
    throw new FusewireError('FW_OPTION', 'this inbox has no transaction to offer to an atomic handler')
  }
  return engine.atomic(lease, (sql) => {
    const result = withTimeout(bounds(attempt), (signal) =>
      handler.handle({ ...contextOf(attempt, event, signal), sql }),
    )
    if (result instanceof Promise) result.catch(() => {}) // An engine whose transaction cannot wait refuses it and hears no more of it.
    return result
  })
}

function bounds({ handler, clock, signal }: Attempt): TimeoutOptions {
  const ms = handler.timeoutMs ?? timeoutMs
  const late = () => new FusewireError('FW_TIMEOUT', `the handler did not end within ${ms} ms`)
  return { ms, clock, late, signal }
}

function contextOf({ lease, handler }: Attempt, event: ParsedEvent, signal: AbortSignal): HandlerRun {
  return {
    event,
    body: lease.event.body,
    attempt: lease.attempt,
    isLastAttempt: isLast(lease, handler),
    idempotencyKey: idempotencyKey(lease.event.key, handler.name),
    receivedAt: lease.event.receivedAt,
    signal,
  }
}
