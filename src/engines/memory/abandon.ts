import { abandonAfterMs, type AbandonStep, type IdleHandler } from '../../model/idle-handler.ts'
import { endHead } from './claim.ts'
import { removeWaiting } from './add-delivery.ts'
import type { Delivery, Queue, Store } from './store.ts'

const stepLimit = 500

/** Sets the idle time back, because a process runs this handler. */
export function markRun(queue: Queue): void {
  queue.idleMs = 0
  delete queue.abandonedAt
}

export function countIdle(
  { queues }: Store,
  running: ReadonlySet<string>,
  ms: number,
  now: number,
): readonly IdleHandler[] {
  return [...queues.values()].map((queue) => {
    queue.idleMs = running.has(queue.subscription.handler) ? 0 : queue.idleMs + ms
    if (queue.idleMs >= abandonAfterMs) queue.abandonedAt ??= now
    const { handler } = queue.subscription
    return { handler, idleMs: queue.idleMs, abandoned: queue.abandonedAt !== undefined }
  })
}

export function abandon({ queues }: Store, now: number): AbandonStep {
  const abandoned = [...queues.values()].filter(({ abandonedAt }) => abandonedAt !== undefined)
  const waiting = abandoned.flatMap(waitingOf)
  for (const delivery of waiting.slice(0, stepLimit)) {
    delivery.token++
    if (delivery.queue.heads.has(delivery)) endHead(delivery, 'succeeded', now, 'abandoned')
    else removeWaiting(delivery)
    delivery.state = 'succeeded'
    delivery.reason = 'abandoned'
  }
  return { deliveries: Math.min(waiting.length, stepLimit), more: waiting.length > stepLimit }
}

/** Heads come last: when they are ended in this order, no parked delivery is left to become the next head. */
function waitingOf({ intake, lanes, heads }: Queue): readonly Delivery[] {
  return [...intake, ...[...lanes.values()].flatMap((lane) => lane.slice(1)), ...heads]
}
