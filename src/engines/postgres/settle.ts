import type { Failure, Lease } from '../../model/delivery.ts'
import type { Settled, Settlement } from '../../model/engine.ts'
import { type Held, holding } from './held.ts'
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
    if (settlements.length === 0) return []
    const held = await hold(
      client,
      settlements.map(({ lease }) => lease),
    )
    const ends: Ended[] = []
    const delays: Delayed[] = []
    const failed: Held[] = []
    for (const [place, { outcome }] of settlements.entries()) {
      const head = held[place]
      if (head === undefined) continue
      const failures =
        'failure' in outcome && outcome.failure !== undefined ? withFailure(head, outcome.failure) : null
      if (failures !== null) failed.push(head)
      switch (outcome.kind) {
        case 'succeeded':
          ends.push({ ...head, state: 'succeeded', reason: null, failures })
          break
        case 'skipped':
          ends.push({ ...head, state: 'succeeded', reason: 'skipped', failures })
          break
        case 'dead':
          ends.push({ ...head, state: 'dead', reason: outcome.reason, failures })
          break
        case 'retry':
          delays.push({ ...head, afterMs: outcome.afterMs, counted: true, failures })
          break
        case 'wait':
          delays.push({ ...head, afterMs: outcome.afterMs, counted: false, failures })
          break
      }
    }
    if (failed.length > 0) await startFailing(client, ...lanesOf(failed))
    if (delays.length > 0) await delay(client, ...delayColumnsOf(delays))
    if (ends.length > 0) {
      await end(
        client,
        ...lanesOf(ends),
        ends.map(({ state }) => state),
        ends.map(({ reason }) => reason),
        ends.map(({ failures }) => failures),
      )
    }
    return held.map((head) => (head === undefined ? 'lost' : 'settled'))
  }
}

/** Gives leases back, inside the caller's transaction: due at once, the attempt uncounted. */
export function releasing(
  schema: string,
): (client: PostgresClient, leases: readonly Lease[]) => Promise<void> {
  const hold = holding(schema)
  const delay = delaying(schema)
  return async (client, leases) => {
    const held = (await hold(client, leases)).filter((head) => head !== undefined)
    await delay(
      client,
      ...delayColumnsOf(held.map((head) => ({ ...head, afterMs: 0, counted: false, failures: null }))),
    )
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
    const held = await hold(client, leases)
    await extend(client, ...lanesOf(held.filter((head) => head !== undefined)), Math.ceil(leaseMs))
    return held.map((head) => (head === undefined ? 'lost' : 'renewed'))
  }
}

interface Ended extends Held {
  readonly state: 'succeeded' | 'dead'
  readonly reason: string | null
}

interface Delayed extends Held {
  readonly afterMs: number
  readonly counted: boolean
}

function withFailure({ failures }: Held, failure: Failure): string {
  const before: readonly Failure[] = failures === null ? [] : JSON.parse(failures) // Written below, and nowhere else.
  return JSON.stringify([...before, failure].slice(-10))
}

function lanesOf(heads: readonly Held[]): readonly unknown[] {
  return [heads.map(({ handler }) => handler), heads.map(({ lane }) => lane)]
}

function delayColumnsOf(delays: readonly Delayed[]): readonly unknown[] {
  return [
    ...lanesOf(delays),
    delays.map(({ afterMs }) => Math.ceil(afterMs)),
    delays.map(({ counted }) => counted),
    delays.map(({ failures }) => failures),
  ]
}

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
        coalesce(e.failures, h.failures) as failures, p.position as next_position, p.created as next_created
      from unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[]) as e (handler, lane, state, reason, failures)
      join ${schema}.heads h on h.lane = e.lane and h.handler = e.handler
      left join lateral (
        select p.position, p.created from ${schema}.parked p
        where p.handler = e.handler and p.lane = e.lane order by p.position limit 1
      ) p on true
    ), unparked as (
      delete from ${schema}.parked p using ended e
      where p.handler = e.handler and p.lane = e.lane and p.position = e.next_position
    ), promoted as (
      update ${schema}.heads h
      set position = e.next_position, created = e.next_created, due = (select ${schema}.now()),
        token = null, attempts = 0, crashes = 0, failures = null
      from ended e
      where h.lane = e.lane and h.handler = e.handler and e.next_position is not null
    ), freed as (
      delete from ${schema}.heads h using ended e
      where h.lane = e.lane and h.handler = e.handler and e.next_position is null
    ), finished as (
      insert into ${schema}.finished (created, position, handler, attempts, reason, failures)
      select created, position, handler, attempts, reason, failures from ended where state = 'succeeded'
    ), buried as (
      insert into ${schema}.dead (handler, position, created, lane, attempts, reason, failures)
      select handler, position, created, lane, attempts, reason, failures from ended where state = 'dead'
    )
    delete from ${schema}.failing f using ended e
    where f.lane = e.lane and f.handler = e.handler
      and ((e.state = 'succeeded' and e.reason is null) or e.lane = ${schema}.own_lane(e.position))
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
    from unnest($1::int[], $2::uuid[], $3::bigint[], $4::bool[], $5::text[]) as d (handler, lane, after_ms, counted, failures)
    where h.lane = d.lane and h.handler = d.handler
    `,
  )
}

function extending(schema: string): Statement<never> {
  return statement(
    `${schema}.renew`,
    `
    update ${schema}.heads h set due = (select ${schema}.now()) + $3::bigint
    from unnest($1::int[], $2::uuid[]) as l (handler, lane)
    where h.lane = l.lane and h.handler = l.handler
    `,
  )
}

function failingStarting(schema: string): Statement<never> {
  return statement(
    `${schema}.settle_failed`,
    `
    insert into ${schema}.failing (lane, handler, since)
    select lane, handler, (select ${schema}.now()) from unnest($1::int[], $2::uuid[]) as f (handler, lane)
    on conflict do nothing
    `,
  )
}
