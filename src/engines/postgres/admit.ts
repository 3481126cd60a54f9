import { type PostgresClient, type Statement, statement } from './sql.ts'

/** How much of its intake a handler admits at a time, so that parking a long lane is shared out among many claims. */
const admitLimit = 1_000

/**
 * Takes deliveries out of these handlers' intakes, in order, inside the caller's transaction. The first of a lane that has no head becomes
 * its head, due now; another is parked. One node at a time admits for a handler; who comes second leaves it to the first.
 */
export function admitting(
  schema: string,
): (client: PostgresClient, handlers: readonly number[]) => Promise<void> {
  const lock = locking(schema)
  const findIntake = findingIntake(schema)
  const lockHeads = lockingHeads(schema)
  const move = moving(schema)

  return async (client, handlers) => {
    const locked = await lock(client, handlers)
    if (locked.length === 0) return
    const intake = await findIntake(
      client,
      locked.map(({ handler }) => handler),
    )
    // While they are locked no head can leave, and heads are made here alone: a lane that has none now has none.
    const heads = await lockHeads(
      client,
      intake.map(({ handler }) => handler),
      intake.map(({ lane }) => lane),
    )
    const led = new Set(heads.map(laneText))
    const leads = intake.map((delivery) => {
      const lane = laneText(delivery)
      return !led.has(lane) && led.add(lane) !== undefined
    })
    await move(
      client,
      intake.map(({ handler }) => handler),
      intake.map(({ position }) => position),
      leads,
    )
  }
}

interface Waiting {
  readonly handler: number
  readonly position: number
  readonly lane: string
}

function laneText({ handler, lane }: { handler: number; lane: string }): string {
  return `${handler} ${lane}`
}

/** A statement by itself: the next one must see what the node that had the lock before has done. */
function locking(schema: string): Statement<{ handler: number }> {
  return statement(
    `${schema}.admit_lock`,
    `
    select handler from unnest($1::int[]) as h (handler)
    where pg_try_advisory_xact_lock('${schema}.intake'::regclass::oid::int, handler)
    `,
  )
}

/** Index: primary key (handler, position). */
function findingIntake(schema: string): Statement<Waiting> {
  return statement(
    `${schema}.admit_intake`,
    `
    select i.handler, i.position::float8, i.lane
    from unnest($1::int[]) as h (handler)
    cross join lateral (
      select handler, position, lane from ${schema}.intake i
      where i.handler = h.handler order by i.position limit ${admitLimit}
    ) i
    order by i.handler, i.position
    `,
  )
}

/** In the order in which settle locks them. Index: primary key (lane, handler). */
function lockingHeads(schema: string): Statement<{ handler: number; lane: string }> {
  return statement(
    `${schema}.admit_lock_heads`,
    `
    select h.handler, h.lane
    from (select distinct handler, lane from unnest($1::int[], $2::uuid[]) as i (handler, lane)) i
    join ${schema}.heads h on h.lane = i.lane and h.handler = i.handler
    order by h.handler, h.lane
    for update of h
    `,
  )
}

/** Index: primary key (handler, position) of the intake. */
function moving(schema: string): Statement<never> {
  return statement(
    `${schema}.admit`,
    `
    with taken as (
      delete from ${schema}.intake i
      using unnest($1::int[], $2::bigint[], $3::bool[]) as t (handler, position, leads)
      where i.handler = t.handler and i.position = t.position
      returning i.handler, i.position, i.created, i.lane, t.leads
    ), led as (
      insert into ${schema}.heads (lane, handler, position, created, due)
      select lane, handler, position, created, (select ${schema}.now()) from taken where leads
    )
    insert into ${schema}.parked (handler, lane, position, created)
    select handler, lane, position, created from taken where not leads
    `,
  )
}
