import { execute, type PostgresClient, type Statement, statement } from '../sql.ts'

/** How much of its intake a handler admits at a time, so that parking a long lane is shared out among many claims. */
const admitLimit = 1_000

/**
 * Takes deliveries out of these handlers' intakes, in order, inside the caller's transaction. The first of a lane that has no head becomes
 * its head, due now; another is parked. One node at a time admits for a handler; who comes second leaves it to the first.
 *
 * @param handlers In order of name, as whoever waits for heads locks them.
 */
export function prepareAdmit(
  schema: string,
): (client: PostgresClient, handlers: readonly number[]) => Promise<void> {
  const lock = prepareLockIntake(schema)
  const findIntake = prepareFindIntake(schema)
  const lockHeads = prepareLockHeads(schema)
  const demote = prepareDemote(schema)
  const lead = prepareLead(schema)
  const park = preparePark(schema)

  async function admit(client: PostgresClient, handler: number): Promise<void> {
    const [locked] = await lock(client, handler)
    if (locked?.locked !== true) return
    const intake = await findIntake(client, handler)
    const heads = await lockHeads(client, handler, [...new Set(intake.map(({ lane }) => lane))])
    // While they are locked no head can leave, and heads are made here alone: a lane that has none now has none.
    const led = new Map(heads.map((head) => [head.lane, head]))
    const leads: number[] = []
    const parks: number[] = []
    const demoted: string[] = []
    for (const { lane, position } of intake) {
      const head = led.get(lane)
      // A replayed one goes before a younger head, unless that is leased.
      const isFirst = head === undefined || (head.token === null && head.position > position)
      if (isFirst && head !== undefined) demoted.push(lane)
      if (isFirst) leads.push(position)
      else parks.push(position)
      if (isFirst) led.set(lane, { lane, position, token: null })
    }
    if (demoted.length > 0) await demote(client, handler, demoted)
    if (leads.length > 0) await lead(client, handler, leads)
    if (parks.length > 0) await park(client, handler, parks)
  }

  return async (client, handlers) => {
    await execute(client, 'set local synchronous_commit = off') // A crash undoes all of it, and it is done again.
    for (const handler of handlers) await admit(client, handler)
  }
}

/** A statement by itself: the next one must see what the node that had the lock before has done. */
function prepareLockIntake(schema: string): Statement<{ locked: boolean }> {
  return statement(
    `${schema}.admit_lock`,
    `select pg_try_advisory_xact_lock('${schema}.intake'::regclass::oid::int, $1) as locked`,
  )
}

/** Index: primary key (handler, position), as for the last two. */
function prepareFindIntake(schema: string): Statement<{ position: number; lane: string }> {
  return statement(
    `${schema}.admit_intake`,
    `select position::float8, lane from ${schema}.intake where handler = $1 order by intake.position limit ${admitLimit}`,
  )
}

/** Index: primary key (lane, handler). */
function prepareLockHeads(
  schema: string,
): Statement<{ lane: string; position: number; token: string | null }> {
  return statement(
    `${schema}.admit_lock_heads`,
    `select lane, position::float8, token from ${schema}.heads where handler = $1 and lane = any ($2::uuid[]) order by lane for update`,
  )
}

/** Index: primary key (lane, handler). */
function prepareDemote(schema: string): Statement<never> {
  return statement(
    `${schema}.admit_demote`,
    `
    with taken as (
      delete from ${schema}.heads where handler = $1 and lane = any ($2::uuid[]) and token is null
      returning handler, lane, position, created
    )
    insert into ${schema}.parked (handler, lane, position, created)
    select handler, lane, position, created from taken
    `,
  )
}

function prepareLead(schema: string): Statement<never> {
  return statement(
    `${schema}.admit_lead`,
    `
    with taken as (
      delete from ${schema}.intake where handler = $1 and position = any ($2::bigint[])
      returning handler, position, created, lane
    )
    insert into ${schema}.heads (lane, handler, position, created, due)
    select lane, handler, position, created, (select ${schema}.now()) from taken
    `,
  )
}

function preparePark(schema: string): Statement<never> {
  return statement(
    `${schema}.admit_park`,
    `
    with taken as (
      delete from ${schema}.intake where handler = $1 and position = any ($2::bigint[])
      returning handler, position, created, lane
    )
    insert into ${schema}.parked (handler, lane, position, created)
    select handler, lane, position, created from taken
    `,
  )
}
