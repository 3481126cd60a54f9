import type { Failure, Lease, Outcome } from '../../model/delivery.ts'
import type { Settled, Settlement } from '../../model/engine.ts'
import { byHandler, type Held, holding } from './held.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/**
 * Ends attempts inside the caller's transaction. First the heads are locked; then, in a new statement, the next of each lane is looked for:
 * in the same one, what was parked while we waited for a lock would not be seen, and its lane would stand still for ever.
 */
export function settling(
  schema: string,
): (client: PostgresClient, settlements: readonly Settlement[]) => Promise<readonly Settled[]> {
  const hold = holding(schema)
  const startFailing = failingStarting(schema)
  const end = ending(schema)
  const delay = delaying(schema)

  return async (client, settlements) => {
    const settled: Settled[] = settlements.map(() => 'lost')
    for (const [handler, asked] of byHandler(settlements.map(({ lease }) => lease))) {
      const changes: Change[] = []
      for (const [place, head] of await hold(client, handler, asked)) {
        settled[place] = 'settled'
        const outcome = settlements[place]?.outcome
        if (outcome !== undefined) changes.push(changeOf(head, outcome))
      }
      const failed = changes.filter(({ failures }) => failures !== null)
      const delays = changes.filter((change) => 'afterMs' in change)
      const ends = changes.filter((change) => 'state' in change)
      if (failed.length > 0) await startFailing(client, handler, lanesOf(failed))
      if (delays.length > 0) await delay(client, handler, ...delayColumnsOf(delays))
      if (ends.length > 0) await end(client, handler, ...endColumnsOf(ends))
    }
    return settled
  }
}

/** Gives leases back, inside the caller's transaction: due at once, the attempt uncounted. */
export function releasing(
  schema: string,
): (client: PostgresClient, leases: readonly Lease[]) => Promise<void> {
  const hold = holding(schema)
  const delay = delaying(schema)
  return async (client, leases) => {
    for (const [handler, asked] of byHandler(leases)) {
      const held = [...(await hold(client, handler, asked)).values()]
      const delays = held.map(({ lane }) => ({ lane, afterMs: 0, counted: false, failures: null }))
      await delay(client, handler, ...delayColumnsOf(delays))
    }
  }
}

/** Extends leases from now, inside the caller's transaction. */
export function renewing(
  schema: string,
): (
  client: PostgresClient,
  leases: readonly Lease[],
  leaseMs: number,
) => Promise<readonly ('renewed' | 'lost')[]> {
  const hold = holding(schema)
  const extend = extending(schema)
  return async (client, leases, leaseMs) => {
    const renewed: ('renewed' | 'lost')[] = leases.map(() => 'lost')
    for (const [handler, asked] of byHandler(leases)) {
      const held = await hold(client, handler, asked)
      for (const place of held.keys()) renewed[place] = 'renewed'
      await extend(client, handler, lanesOf([...held.values()]), Math.ceil(leaseMs))
    }
    return renewed
  }
}

/** What becomes of a head. */
type Change = Ended | Delayed

interface Ended {
  readonly lane: string
  readonly state: 'succeeded' | 'dead'
  readonly reason: string | null
  /** With the new one; null without a new one. */
  readonly failures: string | null
}

interface Delayed {
  readonly lane: string
  readonly afterMs: number
  readonly counted: boolean
  readonly failures: string | null
}

function changeOf(head: Held, outcome: Outcome): Change {
  const { lane } = head
  switch (outcome.kind) {
    case 'succeeded':
      return { lane, state: 'succeeded', reason: null, failures: null }
    case 'skipped':
      return { lane, state: 'succeeded', reason: 'skipped', failures: null }
    case 'dead':
      return { lane, state: 'dead', reason: outcome.reason, failures: withFailure(head, outcome.failure) }
    case 'retry':
      return { lane, afterMs: outcome.afterMs, counted: true, failures: withFailure(head, outcome.failure) }
    case 'wait':
      return { lane, afterMs: outcome.afterMs, counted: false, failures: null }
  }
}

function withFailure({ failures }: Held, failure: Failure | undefined): string | null {
  if (failure === undefined) return null
  const before: readonly Failure[] = failures === null ? [] : JSON.parse(failures) // Written below, and nowhere else.
  return JSON.stringify([...before, failure].slice(-10))
}

function lanesOf(heads: readonly { readonly lane: string }[]): readonly string[] {
  return heads.map(({ lane }) => lane)
}

function delayColumnsOf(delays: readonly Delayed[]): readonly unknown[] {
  return [
    lanesOf(delays),
    delays.map(({ afterMs }) => Math.ceil(afterMs)),
    delays.map(({ counted }) => counted),
    delays.map(({ failures }) => failures),
  ]
}

function endColumnsOf(ends: readonly Ended[]): readonly unknown[] {
  return [
    lanesOf(ends),
    ends.map(({ state }) => state),
    ends.map(({ reason }) => reason),
    ends.map(({ failures }) => failures),
  ]
}

/**
 * The heads of $1 whose lanes are in $2. Whoever joins them to a list of lanes says this beside the join: by bad statistics a planner would
 * walk all heads, and search the list for each.
 */
const theseHeads = (schema: string) =>
  `h.handler = (select id from ${schema}.handlers where name = $1) and h.lane = any ($2::uuid[])`

/**
 * What succeeded goes to finished, what was given up to dead; the first one parked takes the head's place, or the lane is free. A lane goes
 * on failing until a delivery of it succeeds; one by itself ends here. Indexes: primary keys.
 */
function ending(schema: string): Statement<never> {
  return statement(
    `${schema}.settle_ended`,
    `
    with ended as materialized (
      select h.lane, h.handler, h.position, h.created, h.attempts, e.state, e.reason,
        coalesce(e.failures, h.failures) as failures, p.row as next_row, p.position as next_position, p.created as next_created
      from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as e (lane, state, reason, failures)
      join ${schema}.heads h on h.lane = e.lane and ${theseHeads(schema)}
      left join lateral (
        select p.ctid as row, p.position, p.created from ${schema}.parked p
        where p.handler = h.handler and p.lane = h.lane order by p.position limit 1
      ) p on true
    ), unparked as (
      delete from ${schema}.parked where ctid = any (array (select next_row from ended where next_row is not null))
    ), promoted as (
      update ${schema}.heads h
      set position = e.next_position, created = e.next_created, due = (select ${schema}.now()),
        token = null, attempts = 0, crashes = 0, failures = null
      from ended e
      where h.lane = e.lane and e.next_row is not null and ${theseHeads(schema)}
    ), freed as (
      delete from ${schema}.heads h
      where h.lane = any (array (select lane from ended where next_row is null)) and ${theseHeads(schema)}
    ), finished as (
      insert into ${schema}.finished (created, position, handler, attempts, reason, failures)
      select created, position, handler, attempts, reason, failures from ended where state = 'succeeded'
    ), buried as (
      insert into ${schema}.dead (handler, position, created, lane, attempts, reason, failures)
      select handler, position, created, lane, attempts, reason, failures from ended where state = 'dead'
    )
    delete from ${schema}.failing f
    where f.handler = (select id from ${schema}.handlers where name = $1) and f.lane = any (array (
      select lane from ended where (state = 'succeeded' and reason is null) or lane = ${schema}.own_lane(position)
    ))
    `,
  )
}

/** Index: primary key (lane, handler), as for the next two. */
function delaying(schema: string): Statement<never> {
  return statement(
    `${schema}.settle_delayed`,
    `
    update ${schema}.heads h
    set due = (select ${schema}.now()) + d.after_ms, token = null,
      attempts = attempts - case when d.counted then 0 else 1 end, failures = coalesce(d.failures, h.failures)
    from unnest($2::uuid[], $3::bigint[], $4::bool[], $5::text[]) as d (lane, after_ms, counted, failures)
    where h.lane = d.lane and ${theseHeads(schema)}
    `,
  )
}

function extending(schema: string): Statement<never> {
  return statement(
    `${schema}.renew`,
    `update ${schema}.heads h set due = (select ${schema}.now()) + $3::bigint where ${theseHeads(schema)}`,
  )
}

function failingStarting(schema: string): Statement<never> {
  return statement(
    `${schema}.settle_failed`,
    `
    insert into ${schema}.failing (lane, handler, since)
    select lane, (select id from ${schema}.handlers where name = $1), (select ${schema}.now())
    from unnest($2::uuid[]) as f (lane)
    on conflict do nothing
    `,
  )
}
