import type { Failure, Outcome } from '../../model/outcome.ts'
import type { Lease } from '../../model/lease.ts'
import type { Settled, Settlement } from '../../model/engine.ts'
import {
  type AskedLease,
  groupByHandler,
  type HeldLane,
  prepareLockHeldLanes,
} from './lanes/lock-held-lanes.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/**
 * Ends attempts inside the caller's transaction. First the heads are locked; then, in a new statement, the next of each lane is looked for:
 * in the same one, what was parked while we waited for a lock would not be seen, and its lane would stand still for ever.
 */
export function prepareSettle(
  schema: string,
): (client: PostgresClient, settlements: readonly Settlement[]) => Promise<readonly Settled[]> {
  const hold = prepareLockHeldLanes(schema)
  const takeBack = prepareTakeBackCrash(schema)
  const end = prepareEndDeliveries(schema)
  const delay = prepareDelay(schema)

  return async (client, settlements) => {
    const settled: Settled[] = settlements.map(() => 'lost')
    for (const [handler, asked] of groupByHandler(settlements.map(({ lease }) => lease))) {
      const changes: Change[] = []
      const held = await hold(client, handler, asked)
      await takeBack(client, handler, asked, held)
      for (const [place, head] of held) {
        settled[place] = 'settled'
        const outcome = settlements[place]?.outcome
        if (outcome !== undefined) changes.push(changeOf(head, outcome))
      }
      const [head] = changes
      if (head === undefined) continue
      const delays = changes.filter((change) => 'afterMs' in change)
      const ends = changes.filter((change) => 'state' in change)
      if (delays.length > 0) await delay(client, head.handler, ...delayColumnsOf(delays))
      if (ends.length > 0) await end(client, head.handler, ...endColumnsOf(ends))
    }
    return settled
  }
}

/** Gives leases back, inside the caller's transaction: due at once, the attempt uncounted. */
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

/** Extends leases from now, inside the caller's transaction. */
export function prepareRenew(
  schema: string,
): (
  client: PostgresClient,
  leases: readonly Lease[],
  leaseMs: number,
) => Promise<readonly ('renewed' | 'lost')[]> {
  const hold = prepareLockHeldLanes(schema)
  const takeBack = prepareTakeBackCrash(schema)
  const extend = prepareExtend(schema)
  return async (client, leases, leaseMs) => {
    const renewed: ('renewed' | 'lost')[] = leases.map(() => 'lost')
    for (const [handler, asked] of groupByHandler(leases)) {
      const held = await hold(client, handler, asked)
      await takeBack(client, handler, asked, held)
      for (const place of held.keys()) renewed[place] = 'renewed'
      const heads = [...held.values()]
      if (heads[0] !== undefined) await extend(client, heads[0].handler, lanesOf(heads), Math.ceil(leaseMs))
    }
    return renewed
  }
}

/** A process that asks about a lost lease is alive, so its expiry was no crash: takes the counted crash back. `hold` has locked the heads. Index: primary key (lane, handler). */
function prepareTakeBackCrash(
  schema: string,
): (
  client: PostgresClient,
  handler: string,
  asked: readonly AskedLease[],
  held: ReadonlyMap<number, HeldLane>,
) => Promise<void> {
  const takeBack = statement(
    `${schema}.take_back_crash`,
    `
    update ${schema}.heads h set crashes = crashes - 1
    where handler = (select id from ${schema}.handlers where name = $1) and lane = any ($2::uuid[])
      and position = ($3::bigint[])[array_position($2::uuid[], h.lane)] and crashes > 0
    `,
  )
  return async (client, handler, asked, held) => {
    const lost = asked.filter(({ lease, place }) => lease.alone === true && !held.has(place))
    if (lost.length === 0) return
    const lanes = lost.map(({ lease }) => lease.token.split('/')[0])
    const positions = lost.map(({ lease }) => lease.position)
    await takeBack(client, handler, lanes, positions)
  }
}

/** What becomes of a head. */
type Change = Ended | Delayed

interface Ended extends HeldLane {
  readonly state: 'succeeded' | 'dead'
  readonly reason: string | null
}

interface Delayed extends HeldLane {
  /** An attempt was made and failed. */
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
  const before: readonly Failure[] = head.failures === null ? [] : JSON.parse(head.failures) // Written below, and nowhere else.
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
  // Only a success says that the lane is no longer held by failures.
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

type EndColumns = readonly [
  lanes: readonly string[],
  positions: readonly number[],
  created: readonly number[],
  attempts: readonly number[],
  states: readonly string[],
  reasons: readonly (string | null)[],
  failures: readonly (string | null)[],
  /** Lanes that are still held by failures, if they were. Default: none. */
  held?: readonly string[],
]

/**
 * What succeeded goes to finished, what was given up to dead; the first one parked takes the head's place, or the lane is free.
 *
 * No table is joined to a list: by bad statistics a planner would walk the table and search the list for each of its rows (0.8 s where this
 * takes 10 ms). Each is looked up by the values of one array, or row by row in a subquery. Indexes: primary keys.
 */
export function prepareEndDeliveries(
  schema: string,
): (client: PostgresClient, handler: number, ...columns: EndColumns) => Promise<void> {
  const end = statement(
    `${schema}.settle_ended`,
    `
    with ended as materialized (
      select e.*, p.row as next
      from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::int[], $6::text[], $7::text[], $8::text[])
        as e (lane, position, created, attempts, state, reason, failures)
      left join lateral (
        select p.ctid as row from ${schema}.parked p
        where p.handler = $1 and p.lane = e.lane order by p.position limit 1
      ) p on true
    ), unparked as (
      delete from ${schema}.parked where ctid = any (array (select next from ended where next is not null))
    ), promoted as (
      update ${schema}.heads h
      set due = (select ${schema}.now()), token = null, attempts = 0, crashes = 0, failures = null,
        company = 0, failing = null, held = case when h.lane = any ($9::uuid[]) then h.held end,
        (position, created) = (
          select p.position, p.created from ${schema}.parked p
          where p.handler = $1 and p.lane = h.lane order by p.position limit 1
        )
      where h.handler = $1 and h.lane = any (array (select lane from ended where next is not null))
    ), freed as (
      delete from ${schema}.heads h
      where h.handler = $1 and h.lane = any (array (select lane from ended where next is null))
    ), finished as (
      insert into ${schema}.finished (created, position, handler, attempts, reason, failures)
      select created, position, $1, attempts, reason, failures from ended where state = 'succeeded'
    )
    insert into ${schema}.dead (handler, position, created, lane, attempts, reason, failures)
    select $1, position, created, lane, attempts, reason, failures from ended where state = 'dead'
    `,
  )
  return async (client, handler, ...columns) => {
    const [lanes, positions, created, attempts, states, reasons, failures, held = []] = columns
    await end(client, handler, lanes, positions, created, attempts, states, reasons, failures, held)
  }
}

/**
 * After a failed attempt the process lives, so the delivery is no suspect any more. A node of version 1 leaves `failing` of the delivery that
 * was in this head before. Index: primary key (lane, handler), as for the next.
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

function prepareExtend(schema: string): Statement<never> {
  return statement(
    `${schema}.renew`,
    `
    update ${schema}.heads set due = (select ${schema}.now()) + $3::bigint
    where handler = $1 and lane = any ($2::uuid[])
    `,
  )
}
