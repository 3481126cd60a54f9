import type { Failure, Outcome } from '../../model/outcome.ts'
import type { Lease } from '../../model/lease.ts'
import type { Settled, Settlement } from '../../model/engine.ts'
import { type EndColumns, prepareEndDeliveries } from './lanes/end-deliveries.ts'
import { groupByHandler, type HeldLane, prepareLockHeldLanes } from './lanes/lock-held-lanes.ts'
import { prepareUncountCrash } from './lanes/uncount-crash.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/**
 * Ends attempts inside the caller's transaction. One statement locks the heads; the next one finds what follows in each lane. A single
 * statement would not see a delivery that was parked while it waited for the lock, and that lane would stop for ever.
 */
export function prepareSettle(
  schema: string,
): (client: PostgresClient, settlements: readonly Settlement[]) => Promise<readonly Settled[]> {
  const lockHeldLanes = prepareLockHeldLanes(schema)
  const uncountCrash = prepareUncountCrash(schema)
  const endDeliveries = prepareEndDeliveries(schema)
  const delay = prepareDelay(schema)

  return async (client, settlements) => {
    const settled: Settled[] = settlements.map(() => 'lost')
    for (const [handler, asked] of groupByHandler(settlements.map(({ lease }) => lease))) {
      const changes: Change[] = []
      const held = await lockHeldLanes(client, handler, asked)
      await uncountCrash(client, handler, asked, held)
      for (const [index, head] of held) {
        settled[index] = 'settled'
        const outcome = settlements[index]?.outcome
        if (outcome !== undefined) changes.push(changeOf(head, outcome))
      }
      const [head] = changes
      if (head === undefined) continue
      const delays = changes.filter((change) => 'afterMs' in change)
      const ends = changes.filter((change) => 'state' in change)
      if (delays.length > 0) await delay(client, head.handler, ...delayColumnsOf(delays))
      if (ends.length > 0) await endDeliveries(client, head.handler, ...endColumnsOf(ends))
    }
    return settled
  }
}

/** Gives leases back, inside the caller's transaction: due at once, without counting the attempt. */
export function prepareRelease(
  schema: string,
): (client: PostgresClient, leases: readonly Lease[]) => Promise<void> {
  const settle = prepareSettle(schema)
  return async (client, leases) => {
    await settle(
      client,
      leases.map((lease) => ({ lease, outcome: { kind: 'wait', afterMs: 0 } })),
    )
  }
}

/** What is written for a head whose attempt has ended. */
type Change = Ended | Delayed

interface Ended extends HeldLane {
  readonly state: 'succeeded' | 'dead'
  readonly reason: string | null
}

interface Delayed extends HeldLane {
  /** An attempt was made, and it failed. */
  readonly failed: boolean
  readonly afterMs: number
}

function changeOf(head: HeldLane, outcome: Outcome): Change {
  switch (outcome.kind) {
    case 'succeeded':
      return { ...head, state: 'succeeded', reason: null }
    case 'skipped':
      return { ...head, state: 'succeeded', reason: 'skipped' }
    case 'dead':
      return { ...withFailure(head, outcome.failure), state: 'dead', reason: outcome.reason }
    case 'retry':
      return { ...withFailure(head, outcome.failure), failed: true, afterMs: outcome.afterMs }
    case 'wait':
      return { ...head, failed: false, attempts: head.attempts - 1, afterMs: outcome.afterMs }
  }
}

function withFailure(head: HeldLane, failure: Failure | undefined): HeldLane {
  if (failure === undefined) return head
  const before: readonly Failure[] = head.failures === null ? [] : JSON.parse(head.failures) // Only the next line writes this column.
  return { ...head, failures: JSON.stringify([...before, failure].slice(-10)) }
}

function lanesOf(heads: readonly HeldLane[]): readonly string[] {
  return heads.map(({ lane }) => lane)
}

function delayColumnsOf(delays: readonly Delayed[]): readonly unknown[] {
  return [
    lanesOf(delays),
    delays.map(({ afterMs }) => Math.ceil(afterMs)),
    delays.map(({ attempts }) => attempts),
    delays.map(({ failures }) => failures),
    delays.map(({ failed }) => failed),
  ]
}

function endColumnsOf(ends: readonly Ended[]): EndColumns {
  // After a success the lane is no longer held by failures. After any other end it is still held.
  const held = ends.filter(({ state, reason }) => state === 'dead' || reason !== null)
  return [
    lanesOf(ends),
    ends.map(({ position }) => position),
    ends.map(({ created }) => created),
    ends.map(({ attempts }) => attempts),
    ends.map(({ state }) => state),
    ends.map(({ reason }) => reason),
    ends.map(({ failures }) => failures),
    lanesOf(held),
  ]
}

/**
 * After a failed attempt the process is alive, so the delivery is no longer a suspect. `failing` counts only where there are failures: a node
 * of version 1 leaves the value of the delivery that was in this head before. Index: primary key (lane, handler).
 */
function prepareDelay(schema: string): Statement<never> {
  return statement(
    `${schema}.settle_delayed`,
    `
    update ${schema}.heads h
    set token = null,
      (due, attempts, failures, company, failing, held) = (
        select ${schema}.now() + ($3::bigint[])[d.place], ($4::int[])[d.place], ($5::text[])[d.place],
          case when d.failed then 0 else h.company end,
          case when not d.failed or h.failures is not null then h.failing else ${schema}.now() end,
          case when d.failed then coalesce(h.held, ${schema}.now()) else h.held end
        from (select place, ($6::boolean[])[place] as failed from (select array_position($2::uuid[], h.lane) as place) p) d
      )
    where handler = $1 and lane = any ($2::uuid[])
    `,
  )
}
