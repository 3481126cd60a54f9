import { missingPath } from '../events/missing-path.ts'
import { describeError } from '../lib/describe-error.ts'
import { within } from '../lib/within.ts'
import type { Clock } from '../lib/clock.ts'
import { FusewireError } from '../model/errors.ts'
import type { Handler, HandlerRun } from '../model/registration.ts'
import { wants } from '../model/wants.ts'
import type { Accepted, Keeper } from './accepted.ts'
import { type Answer, duplicate, failed, handled } from './answer.ts'
import { keyText } from './identify.ts'
import { Recent } from './recent.ts'

/**
 * `inbox: 'none'`: every handler that wants the event runs once, side by side, before the answer and under its deadline. One failure is a
 * 500 for all. What was handled in the last 24 hours is answered without running anything again.
 */
export function inline(handlers: readonly Handler[], gated: (type: string) => boolean, clock: Clock): Keeper {
  const recent = new Recent(clock)

  return {
    closed: () => undefined,
    recall: ({ key }) => (recent.has(keyText(key)) ? duplicate : undefined),
    async keep(accepted) {
      const { event, key } = accepted
      const wanting = handlers.filter((handler) => wants(handler, event))
      if (wanting.length > 0) {
        const answer = await runAll(wanting, accepted, clock)
        if (answer !== undefined) return answer
      }
      if (wanting.length > 0 || gated(event.type)) recent.add(keyText(key))
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
  const ended = await Promise.allSettled(handlers.map((handler) => run(handler, accepted, clock)))
  const failures = ended.flatMap((end, index) =>
    end.status === 'rejected' ? [`handler ${handlers[index]?.name} threw: ${describeError(end.reason)}`] : [],
  )
  return failures.length > 0 ? failed('failed', 'The receiver failed.', failures.join('; ')) : undefined
}

/** No handler may see an event without what its type promises. */
export function misshapen(path: string): Answer {
  return failed('FW_SHAPE', `The event lacks ${path}, which its type promises.`)
}

async function run(
  handler: Handler,
  { event, key, receivedAt, deadline }: Accepted,
  clock: Clock,
): Promise<void> {
  const ms = Math.max(0, Math.min(deadline.remainingMs(), handler.timeoutMs ?? Infinity))
  const late = () => new FusewireError('FW_TIMEOUT', `did not end within ${Math.round(ms)} ms`)
  await within({ ms, clock, late }, async (signal) => {
    if (handler.where?.(event) === false) return
    const idempotencyKey = `${keyText(key)}/${handler.name}`
    const context: HandlerRun = { event, attempt: 1, isLastAttempt: true, idempotencyKey, receivedAt, signal }
    await handler.handle(context)
  })
}
