import type { AbandonStep } from '../../../model/idle-handler.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import { prepareEndDeliveries } from './end-deliveries.ts'

/** How many deliveries of each kind one step ends. */
const stepLimit = 500

/** Ends up to 500 deliveries that wait for abandoned handlers, inside the caller's transaction. */
export function prepareAbandon(schema: string): (client: PostgresClient) => Promise<AbandonStep> {
  const lockAbandoned = prepareLockAbandoned(schema)
  const endIntake = prepareEndWaiting(schema, 'intake')
  const endParked = prepareEndWaiting(schema, 'parked')
  const lockHeads = prepareLockHeads(schema)
  const endDeliveries = prepareEndDeliveries(schema)

  async function endHeads(client: PostgresClient, handler: number): Promise<number> {
    const heads = await lockHeads(client, handler, stepLimit)
    if (heads.length === 0) return 0
    await endDeliveries(
      client,
      handler,
      heads.map(({ lane }) => lane),
      heads.map(({ position }) => position),
      heads.map(({ created }) => created),
      heads.map(({ attempts }) => attempts),
      heads.map(() => 'succeeded'),
      heads.map(() => 'abandoned'),
      heads.map(({ failures }) => failures),
    )
    return heads.length
  }

  return async (client) => {
    let deliveries = 0
    for (const { id } of await lockAbandoned(client)) {
      // Heads last: nothing is parked by then that would take the place of an ended head.
      for (const run of [
        async () => (await endIntake(client, id, stepLimit)).length,
        async () => (await endParked(client, id, stepLimit)).length,
        () => endHeads(client, id),
      ]) {
        const ended = await run()
        deliveries += ended
        if (ended === stepLimit) return { deliveries, more: true }
      }
    }
    return { deliveries, more: false }
  }
}

/** A process that subscribes an abandoned handler again waits for these locks. */
function prepareLockAbandoned(schema: string): Statement<{ id: number }> {
  return statement(
    `${schema}.abandon_lock`,
    `select id from ${schema}.handlers where abandoned is not null order by name for update`,
  )
}

/** Index: the table's primary key, which leads with the handler. */
function prepareEndWaiting(schema: string, table: 'intake' | 'parked'): Statement<{ one: number }> {
  return statement(
    `${schema}.abandon_${table}`,
    `
    with ended as (
      delete from ${schema}.${table} where ctid = any (array (
        select ctid from ${schema}.${table} where handler = $1 limit $2::int for update skip locked
      ))
      returning handler, position, created
    )
    insert into ${schema}.finished (created, position, handler, attempts, reason)
    select created, position, handler, 0, 'abandoned' from ended
    returning 1 as one
    `,
  )
}

interface Head {
  readonly lane: string
  readonly position: number
  readonly created: number
  readonly attempts: number
  readonly failures: string | null
}

/** In order of lane, as claim and settle lock heads. Indexes: heads_due, primary key (lane, handler). */
function prepareLockHeads(schema: string): Statement<Head> {
  return statement(
    `${schema}.abandon_heads`,
    `
    with first as materialized (
      select lane from ${schema}.heads where handler + 0 = $1 order by due limit $2::int
    )
    select lane, position::float8, created::float8, attempts, failures from ${schema}.heads
    where handler = $1 and lane = any (array (select lane from first))
    order by lane for update
    `,
  )
}
