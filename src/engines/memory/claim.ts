import type { Claimed, Crashed } from '../../model/claimed.ts'
import type { DeadReason } from '../../model/outcome.ts'
import type { Lease } from '../../model/lease.ts'
import type { SuspectsBeside, Want } from '../../model/engine.ts'
import { judgeSuspects } from '../../model/judge-suspects.ts'
import { byPosition } from './add-delivery.ts'
import type { Delivery, Queue } from './store.ts'

export function claim(
  queues: ReadonlyMap<string, Queue>,
  wants: readonly Want[],
  leaseMs: number,
  now: number,
  suspectsBeside: SuspectsBeside,
): Claimed {
  const wanted = wants.flatMap((want) => {
    const queue = queues.get(want.handler)
    return queue === undefined ? [] : [{ ...want, queue }]
  })
  const leases: Lease[] = []
  let crashed: readonly Crashed[] = []
  let suspects = false

  for (const { queue } of wanted) admit(queue, now)
  if (suspectsBeside !== 'none') {
    const judged = claimSuspects(wanted, leaseMs, now, suspectsBeside)
    leases.push(...judged.leases)
    crashed = judged.crashed
    suspects = leases.length > 0
  }
  if (!suspects) {
    for (const { queue, limit } of wanted) {
      for (const delivery of dueHeads(queue, now).slice(0, limit)) {
        if (isSuspect(delivery)) suspects = true
        else leases.push(leaseHead(delivery, leaseMs, now))
      }
    }
  }
  const nextAt = Math.min(...wanted.flatMap(({ queue }) => [...queue.heads].map(({ dueAt }) => dueAt)))
  return {
    leases,
    crashed,
    ...(suspects && { suspects }),
    ...(nextAt < Infinity && { nextInMs: Math.max(0, nextAt - now) }),
  }
}

type Wanted = Want & { readonly queue: Queue }

function claimSuspects(
  wanted: readonly Wanted[],
  leaseMs: number,
  now: number,
  otherLeases: number,
): { leases: readonly Lease[]; crashed: readonly Crashed[] } {
  const suspects = wanted.flatMap(({ handler, queue }) =>
    dueHeads(queue, now)
      .filter(isSuspect)
      .map((delivery) => {
        const { leased: expired, company, crashes, attempts } = delivery
        return { handler, delivery, expired, company, crashes, attempts }
      }),
  )
  const judged = judgeSuspects(suspects, wanted, otherLeases)
  for (const { suspect, company, crashes } of judged.wait) {
    countCrashes(suspect.delivery, crashes)
    Object.assign(suspect.delivery, { leased: false, company })
  }
  for (const { suspect, reason } of judged.dead) endHead(suspect.delivery, 'dead', now, reason)
  for (const [{ delivery }, crashes] of judged.crashes) {
    countCrashes(delivery, crashes)
    delivery.company = judged.company
  }
  return {
    leases: judged.lease.map(({ delivery }) => leaseHead(delivery, leaseMs, now)),
    crashed: judged.dead.map(({ suspect: { handler, delivery }, reason }) => ({
      handler,
      key: delivery.event.arrival.key,
      reason,
    })),
  }
}

/** Notes the lease whose expiry was counted, so that its crash can be taken back once. */
function countCrashes(delivery: Delivery, crashes: number): void {
  if (crashes > delivery.crashes) delivery.crashedToken = delivery.token
  delivery.crashes = crashes
}

/** Its lease expired unsettled, or it has waited since then to be tried again. */
function isSuspect({ leased, company }: Delivery): boolean {
  return leased || company > 0
}

function leaseHead(delivery: Delivery, leaseMs: number, now: number): Lease {
  delivery.leased = true
  delivery.token++
  delivery.attempts++
  delivery.dueAt = now + leaseMs
  return leaseOf(delivery, now)
}

/** Makes each delivery of the intake the head of its lane, or parks it behind the head, in order of position. */
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
    // A replayed delivery that is older than the head, which waits for its retry.
    queue.heads.delete(head)
    delete head.heldSince
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

/** Ends a head, and makes the next delivery of its lane the head. */
export function endHead(
  head: Delivery,
  state: 'succeeded' | 'dead',
  now: number,
  reason?: 'skipped' | 'erased' | 'abandoned' | DeadReason,
): void {
  const { queue, lane } = head
  head.state = state
  head.leased = false
  if (reason !== undefined) head.reason = reason
  head.company = 0
  if (state === 'dead') queue.dead.add(head)
  queue.heads.delete(head)
  const { heldSince } = head
  delete head.heldSince
  if (lane === undefined) return
  const [, next, ...parked] = queue.lanes.get(lane) ?? []
  if (next === undefined) {
    queue.lanes.delete(lane)
    return
  }
  queue.lanes.set(lane, [next, ...parked])
  next.dueAt = now
  if (heldSince !== undefined) next.heldSince = heldSince
  queue.heads.add(next)
}

function leaseOf(delivery: Delivery, now: number): Lease {
  const { event, queue, token, attempts, failingSince, heldSince } = delivery
  const { key, type, source, receivedAt, body, trace } = event.arrival
  return {
    handler: queue.subscription.handler,
    position: event.position,
    token: String(token),
    attempt: attempts,
    failingForMs: failingSince === undefined ? 0 : now - failingSince,
    laneHeldForMs: heldSince === undefined ? 0 : now - heldSince,
    ...(delivery.company === 1 && { alone: true }),
    event: { key, type, source, receivedAt, body, ...(trace !== undefined && { trace }) },
  }
}
