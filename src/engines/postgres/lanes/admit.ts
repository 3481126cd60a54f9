import { execute, type PostgresClient, type Statement, statement } from '../sql.ts'

/** How many deliveries of a handler are admitted at a time, so that a claim does not wait while a long lane is parked. */
const admitLimit = 1_000

/**
 * Takes deliveries out of the intakes of handlers, in order of position, inside the caller's transaction. A delivery whose lane has no head
 * becomes its head, due now; any other is parked. One node at a time admits for a handler: a second one does nothing.
 *
 * @param handlers In order of name, which is the order in which other statements lock heads.
 */
export function prepareAdmit(
  schema: string,
): (client: PostgresClient, handlers: readonly number[]) => Promise<void> {
  const lockIntake = prepareLockIntake(schema)
  const findIntake = prepareFindIntake(schema)
  const lockHeads = prepareLockHeads(schema)
  const parkHeads = prepareParkHeads(schema)
  const makeHeads = prepareMakeHeads(schema)
  const park = preparePark(schema)

  async function admit(client: PostgresClient, handler: number): Promise<void> {
    const [locked] = await lockIntake(client, handler)
    if (locked?.locked !== true) return
    const intake = await findIntake(client, handler)
    const heads = await lockHeads(client, handler, [...new Set(intake.map(({ lane }) => lane))])
    // No head can leave while it is locked, and only the holder of the intake's lock makes heads: a lane without a head here has none.
    const headOf = new Map(heads.map((head) => [head.lane, head]))
    const toHeads: number[] = []
    const toParked: number[] = []
    const lanesToPark: string[] = []
    for (const { lane, position } of intake) {
      const head = headOf.get(lane)
      // A replayed delivery goes before a later head, unless that head is leased.
      const isFirst = head === undefined || (head.token === null && head.position > position)
      if (isFirst && head !== undefined) lanesToPark.push(lane)
      if (isFirst) toHeads.push(position)
      else toParked.push(position)
      if (isFirst) headOf.set(lane, { lane, position, token: null })
    }
    if (lanesToPark.length > 0) await parkHeads(client, handler, lanesToPark)
    if (toHeads.length > 0) await makeHeads(client, handler, toHeads)
    if (toParked.length > 0) await park(client, handler, toParked)
  }

  return async (client, handlers) => {
    await execute(client, 'set local synchronous_commit = off') // A server crash undoes the whole transaction, and the next claim repeats it.
    for (const handler of handlers) await admit(client, handler)
  }
}

/** A statement of its own, so that the next one sees what the last holder of the lock has committed. */
function prepareLockIntake(schema: string): Statement<{ locked: boolean }> {
  return statement(
    `${schema}.admit_lock`,
    `select pg_try_advisory_xact_lock('${schema}.intake'::regclass::oid::int, $1) as locked`,
  )
}

/** Index: primary key (handler, position). */
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

/** Parks heads that are not leased. Index: primary key (lane, handler). */
function prepareParkHeads(schema: string): Statement<never> {
  return statement(
    `${schema}.admit_park_heads`,
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

/** Index: primary key of the intake (handler, position). */
function prepareMakeHeads(schema: string): Statement<never> {
  return statement(
    `${schema}.admit_make_heads`,
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

/** Index: primary key of the intake (handler, position). */
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
