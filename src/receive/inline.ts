import { missingPath } from '../events/missing-path.ts'
import { describeError } from '../lib/describe-error.ts'
import { within } from '../lib/within.ts'
import type { Clock } from '../lib/clock.ts'
import { FusewireError } from '../model/errors.ts'
import type { Handler, HandlerRun } from '../model/registration.ts'
import { wants } from '../model/wants.ts'
import type { Accepted, Keeper } from './accepted.ts'
import { type Answer, duplicate, failed, handled } from './answer.ts'
import { Recent } from './recent.ts'

/**
 * `inbox: 'none'`: every handler that wants the event runs once, side by side, before the answer and under its deadline. One failure is a
 * 500 for all. What was handled in the last 24 hours is answered without running anything again.
 */
export function inline(handlers: readonly Handler[], gated: (type: string) => boolean, clock: Clock): Keeper {
  const recent = new Recent(clock)

  return {
    closed: () => undefined,
    recall: ({ keyText }) => (recent.has(keyText) ? duplicate : undefined),
    async keep(accepted) {
      const { event, keyText } = accepted
      const wanting = handlers.filter((handler) => wants(handler, event))
      if (wanting.length > 0) {
        const answer = await runAll(wanting, accepted, clock)
        if (answer !== undefined) return answer
      }
      if (wanting.length > 0 || gated(event.type)) recent.add(keyText)
      return handled
    },
    refuse: async () => {},
  }
}

async function runAll(
  handlers: readonly Handler[],
  accepted: Accepted,
  clock: Clock,
): Promise<Answer | undefined> {
  const missing = missingPath(accepted.event)
  if (missing !== undefined) return misshapen(missing)
  const ended = await Promise.all(handlers.map((handler) => run(handler, accepted, clock)))
  const failures = ended.filter((failure) => failure !== undefined)
  return failures.length > 0 ? failed('failed', 'The receiver failed.', failures.join('; ')) : undefined
}

/** No handler may see an event without what its type promises. */
export function misshapen(path: string): Answer {
  return failed('FW_SHAPE', `The event lacks ${path}, which its type promises.`)
}

/** Says why it failed. Never rejects. */
async function run(handler: Handler, accepted: Accepted, clock: Clock): Promise<string | undefined> {
  const { event, keyText, receivedAt, deadline } = accepted
  const ms = Math.max(0, Math.min(deadline.remainingMs(), handler.timeoutMs ?? Infinity))
  const late = () => new FusewireError('FW_TIMEOUT', `did not end within ${Math.round(ms)} ms`)
  const idempotencyKey = `${keyText}/${handler.name}`
  try {
    await within({ ms, clock, late }, (signal) => {
      if (handler.where?.(event) === false) return undefined
      const context: HandlerRun = {
        event,
        attempt: 1,
        isLastAttempt: true,
        idempotencyKey,
        receivedAt,
        signal,
      }
      return handler.handle(context)
    })
    return undefined
  } catch (error) {
    return `handler ${handler.name} threw: ${describeError(error)}`
  }
}
