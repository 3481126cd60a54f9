import { missingPath } from '../../events/missing-path.ts'
import { describeError } from '../../lib/describe-error.ts'
import { allThere, whenThere } from '../../lib/when-there.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import type { Clock } from '../../lib/clock.ts'
import { FusewireError } from '../../model/errors.ts'
import { type EventKey, idempotencyKey } from '../../model/event-key.ts'
import type { Log } from '../../model/log.ts'
import type { RegisteredHandler } from '../../model/registered-handler.ts'
import { applicationsOf, wants } from '../../model/wants.ts'
import type { ReceivedEvent, EventSink } from './received-event.ts'
import { type Answer, duplicate, failed, handled } from '../answer/answer.ts'
import type { Body } from '../read-body.ts'
import { SeenEvents } from './seen-events.ts'

/**
 * `inbox: 'none'`: every handler that wants the event runs once, side by side, before the answer and under its deadline. One failure is a
 * 500 for all. What was handled in the last 24 hours is answered without running anything again. Of a gated type that holds for equal bytes
 * only: other bytes under a known key are asked about, and then logged and not handled.
 */
export function createInlineSink(
  handlers: readonly RegisteredHandler[],
  gated: (type: string) => boolean,
  clock: Clock,
  log: Log,
): EventSink {
  const handledKeys = new SeenEvents(clock)
  const passedGates = new SeenEvents(clock)
  const byApplication = handlers.some(({ applicationIds }) => applicationIds !== undefined)

  return {
    closed: () => undefined,
    recall({ event, key, body }) {
      const known = gated(event.type) ? passedGates.has(keyOfBytes(key, body)) : handledKeys.has(key)
      return known ? duplicate : undefined
    },
    accept(accepted) {
      const { event, key, body } = accepted
      const isGated = gated(event.type)
      if (isGated && handledKeys.has(key)) {
        const { type, id } = event
        log.error({ type, id }, 'two events with one id and different bodies; the second is not handled')
        passedGates.add(keyOfBytes(key, body))
        return handled
      }
      const applicationIds = byApplication ? applicationsOf(event) : []
      const wanting = handlers.filter((handler) => wants(handler, { type: event.type, key, applicationIds }))
      if (wanting.length === 0 && !isGated) return handled
      return whenThere(runAll(wanting, accepted, clock), (failure) => {
        if (failure !== undefined) return failure
        handledKeys.add(key)
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

function runAll(
  handlers: readonly RegisteredHandler[],
  accepted: ReceivedEvent,
  clock: Clock,
): Answer | undefined | Promise<Answer | undefined> {
  if (handlers.length === 0) return undefined
  const missing = missingPath(accepted.event)
  if (missing !== undefined) return misshapen(missing)
  const ended = handlers.map((handler) => run(handler, accepted, clock))
  return whenThere(allThere(ended), (failures) => {
    const reasons = failures.filter((failure) => failure !== undefined)
    return reasons.length > 0 ? failed('failed', 'The receiver failed.', reasons.join('; ')) : undefined
  })
}

/** No handler may see an event without what its type promises. */
export function misshapen(path: string): Answer {
  return failed('FW_SHAPE', `The event lacks ${path}, which its type promises.`)
}

/** Says why it failed. Never throws nor rejects. */
function run(
  handler: RegisteredHandler,
  accepted: ReceivedEvent,
  clock: Clock,
): string | undefined | Promise<string | undefined> {
  const { event, key, body, receivedAt, deadline } = accepted
  const ms = Math.max(0, Math.min(deadline.remainingMs(), handler.timeoutMs ?? Infinity))
  const late = () => new FusewireError('FW_TIMEOUT', `did not end within ${Math.round(ms)} ms`)
  const failure = (error: unknown) => `handler ${handler.name} threw: ${describeError(error)}`
  const succeeded = () => undefined
  try {
    const ended = withTimeout({ ms, clock, late }, (signal) =>
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
    return ended instanceof Promise ? ended.then(succeeded, failure) : undefined
  } catch (error) {
    return failure(error)
  }
}
