import type { Claimed, DeadReason, Lease } from '../../model/delivery.ts'
import type { Want } from '../../model/engine.ts'
import type { EventKey } from '../../model/event.ts'
import { byPosition, type Delivery, type Queue } from './store.ts'

export function claim(
  queues: ReadonlyMap<string, Queue>,
  wants: readonly Want[],
  leaseMs: number,
  now: number,
): Claimed {
  const leases: Lease[] = []
  const crashed: { handler: string; key: EventKey }[] = []
  let nextAt = Infinity
  for (const { handler, limit } of wants) {
    const queue = queues.get(handler)
    if (queue === undefined) continue
    admit(queue, now)
    let room = limit
    for (const delivery of dueHeads(queue, now)) {
      if (room === 0) break
      if (delivery.leased && ++delivery.crashes === 3) {
        end(delivery, 'dead', now, 'crashed')
        crashed.push({ handler, key: delivery.event.arrival.key })
        continue
      }
      delivery.leased = true
      delivery.token++
      delivery.attempts++
      delivery.dueAt = now + leaseMs
      leases.push(lease(delivery, now))
      room--
    }
    for (const head of queue.heads) nextAt = Math.min(nextAt, head.dueAt)
  }
  return { leases, crashed, ...(nextAt < Infinity && { nextInMs: Math.max(0, nextAt - now) }) }
}

/** Makes each delivery of the intake its lane's head, or parks it in its place behind the head. */
function admit(queue: Queue, now: number): void {
  for (const delivery of queue.intake) {
    const lane = delivery.lane === undefined ? undefined : queue.lanes.get(delivery.lane)
    if (lane === undefined) {
      if (delivery.lane !== undefined) queue.lanes.set(delivery.lane, [delivery])
      delivery.dueAt = now
      queue.heads.add(delivery)
      continue
    }
    const [head] = lane
    lane.push(delivery)
    if (head?.leased === true) lane.splice(1, lane.length, ...lane.slice(1).sort(byPosition))
    else lane.sort(byPosition)
    if (head === undefined || lane[0] === head) continue
    // Replayed, and older than the head, which waits for its retry.
    queue.heads.delete(head)
    queue.heads.add(delivery)
    delivery.dueAt = now
  }
  queue.intake = []
}

function dueHeads(queue: Queue, now: number): readonly Delivery[] {
  return [...queue.heads]
    .filter((head) => head.dueAt <= now)
    .sort((a, b) => a.dueAt - b.dueAt || a.event.position - b.event.position)
}

/** Ends a head; the next of its lane takes its place. */
export function end(
  head: Delivery,
  state: 'succeeded' | 'dead',
  now: number,
  reason?: 'skipped' | 'erased' | DeadReason,
): void {
  const { queue, lane } = head
  head.state = state
  head.leased = false
  if (reason !== undefined) head.reason = reason
  if (state === 'dead') queue.dead.add(head)
  queue.heads.delete(head)
  if (lane === undefined) {
    queue.failing.delete(head)
    return
  }
  const [, next, ...parked] = queue.lanes.get(lane) ?? []
  if (next === undefined) {
    queue.lanes.delete(lane)
    return
  }
  queue.lanes.set(lane, [next, ...parked])
  next.dueAt = now
  queue.heads.add(next)
}

function lease(delivery: Delivery, now: number): Lease {
  const { event, queue, token, attempts } = delivery
  const failingSince = queue.failing.get(streak(delivery))
  const { key, type, source, receivedAt, body, trace } = event.arrival
  return {
    handler: queue.subscription.handler,
    position: event.position,
    token: String(token),
    attempt: attempts,
    failingForMs: failingSince === undefined ? 0 : now - failingSince,
    event: { key, type, source, receivedAt, body, ...(trace !== undefined && { trace }) },
  }
}

/** Failures are counted together by lane; a delivery without one stands for itself. */
export function streak(delivery: Delivery): string | Delivery {
  return delivery.lane ?? delivery
}
