import { missingPath } from '../../events/missing-path.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/describe-error.ts'
import { allThere, whenThere } from '../../lib/when-there.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import { FusewireError } from '../../model/errors.ts'
import { type EventKey, idempotencyKey } from '../../model/event-key.ts'
import type { Log } from '../../model/log.ts'
import type { RegisteredHandler } from '../../model/registered-handler.ts'
import { applicationsOf, wants } from '../../model/wants.ts'
import { type Answer, duplicate, failed, handled, misshapen } from '../answer/answer.ts'
import type { Body } from '../body.ts'
import type { ReceivedEvent } from '../received-event.ts'
import type { EventSink } from './event-sink.ts'
import { SeenEvents } from './seen-events.ts'

/**
 * `inbox: 'none'`: runs every handler that wants the event once, concurrently, before the answer and under its deadline. One failure makes the
 * answer a 500. An event that was handled in the last 24 hours is answered without running a handler again. For types with a gate that
 * holds for equal bytes only: other bytes under a known key go to the gates, and are then logged and not handled.
 */
export function createInlineSink(
  handlers: readonly RegisteredHandler[],
  gated: (type: string) => boolean,
  clock: Clock,
  log: Log,
): EventSink {
  const handledEvents = new SeenEvents(clock)
  const passedGates = new SeenEvents(clock)
  const byApplication = handlers.some(({ applicationIds }) => applicationIds !== undefined)

  return {
    closed: () => undefined,
    findKnown({ event, key, body }) {
      const known = gated(event.type) ? passedGates.has(keyOfBytes(key, body)) : handledEvents.has(key)
      return known ? duplicate : undefined
    },
    accept(received) {
      const { event, key, body } = received
      const isGated = gated(event.type)
      if (isGated && handledEvents.has(key)) {
        const { type, id } = event
        log.error({ type, id }, 'two events with one id and different bodies; the second is not handled')
        passedGates.add(keyOfBytes(key, body))
        return handled
      }
      const applicationIds = byApplication ? applicationsOf(event) : []
      const wanting = handlers.filter((handler) => wants(handler, { type: event.type, key, applicationIds }))
      if (wanting.length === 0 && !isGated) return handled
      return whenThere(runAll(wanting, received, clock), (failure) => {
        if (failure !== undefined) return failure
        handledEvents.add(key)
        if (isGated) passedGates.add(keyOfBytes(key, body))
        return handled
      })
    },
    refuse: async () => {},
  }
}

function keyOfBytes(key: EventKey, body: Body): EventKey {
  return { ...key, id: body.sha256() }
}

/** The answer when a handler failed, or when no handler may run. */
function runAll(
  handlers: readonly RegisteredHandler[],
  received: ReceivedEvent,
  clock: Clock,
): Answer | undefined | Promise<Answer | undefined> {
  if (handlers.length === 0) return undefined
  const missing = missingPath(received.event)
  if (missing !== undefined) return misshapen(missing)
  const runs = handlers.map((handler) => run(handler, received, clock))
  return whenThere(allThere(runs), (failures) => {
    const reasons = failures.filter((failure) => failure !== undefined)
    return reasons.length > 0 ? failed('failed', 'The receiver failed.', reasons.join('; ')) : undefined
  })
}

/** Why the handler failed, undefined when it succeeded. Never throws nor rejects. */
function run(
  handler: RegisteredHandler,
  { event, key, body, receivedAt, deadline }: ReceivedEvent,
  clock: Clock,
): string | undefined | Promise<string | undefined> {
  const ms = Math.max(0, Math.min(deadline.remainingMs(), handler.timeoutMs ?? Infinity))
  const late = () => new FusewireError('FW_TIMEOUT', `did not end within ${Math.round(ms)} ms`)
  const failure = (error: unknown) => `handler ${handler.name} threw: ${describeError(error)}`
  const succeeded = () => undefined
  try {
    const running = withTimeout({ ms, clock, late }, (signal) =>
      handler.where?.(event) === false
        ? undefined
        : handler.handle({
            event,
            body: body.bytes,
            attempt: 1,
            isLastAttempt: true,
            idempotencyKey: idempotencyKey(key, handler.name),
            receivedAt,
            signal,
          }),
    )
    return running instanceof Promise ? running.then(succeeded, failure) : undefined
  } catch (error) {
    return failure(error)
  }
}
