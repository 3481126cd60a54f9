import { abandonAfterMs, type AbandonStep, type IdleHandler } from '../../../model/idle-handler.ts'
import { nodeOutlivesMs } from '../../../model/stats.ts'
import { prepareEndDeliveries } from '../settle.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** How many deliveries of each kind one step ends. */
const stepLimit = 500

/** A process runs these handlers. In order of name, as subscribe writes them: another order would deadlock with it. */
export function prepareMarkRun(schema: string): Statement<never> {
  return statement(
    `${schema}.mark_run`,
    `
    with idle as materialized (
      select id from ${schema}.handlers
      where name = any ($1::text[]) and (idle <> 0 or abandoned is not null)
      order by name for update
    )
    update ${schema}.handlers h set idle = 0, abandoned = null where h.id = any (array (select id from idle))
    `,
  )
}

/** Adds to the idle time of every handler; those that reach the limit are abandoned. */
export function prepareCountIdle(
  schema: string,
): (client: PostgresClient, ms: number) => Promise<readonly IdleHandler[]> {
  const count = statement<IdleHandler>(
    `${schema}.count_idle`,
    `
    with handler as materialized (
      select id, name, idle from ${schema}.handlers order by name for update
    ), counted as materialized (
      -- A node of version 1 beats without setting idle back.
      select id, case when exists (
        select from ${schema}.nodes n where n.seen > ${schema}.now() - ${nodeOutlivesMs} and handler.name = any (n.handlers)
      ) then 0 else idle + $1::bigint end as idle
      from handler
    )
    update ${schema}.handlers h
    set idle = c.idle,
      abandoned = case when c.idle >= ${abandonAfterMs} then coalesce(abandoned, ${schema}.now()) end
    from counted c where h.id = c.id
    returning h.name as handler, h.idle::float8 as "idleMs", abandoned is not null as abandoned
    `,
  )
  return async (client, ms) => {
    const handlers = await count(client, Math.round(ms))
    return handlers.toSorted((a, b) => (a.handler < b.handler ? -1 : 1))
  }
}

/** A step of ending what waits for abandoned handlers, inside the caller's transaction. */
export function prepareAbandon(schema: string): (client: PostgresClient) => Promise<AbandonStep> {
  const lock = prepareLockAbandoned(schema)
  const endIntake = prepareEndWaiting(schema, 'intake')
  const endParked = prepareEndWaiting(schema, 'parked')
  const lockHeads = prepareLockHeads(schema)
  const end = prepareEndDeliveries(schema)

  async function endHeads(client: PostgresClient, handler: number): Promise<number> {
    const heads = await lockHeads(client, handler, stepLimit)
    if (heads.length === 0) return 0
    await end(
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
    for (const { id } of await lock(client)) {
      // Heads last, so that none is left for another to take its place.
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

/** A process that subscribes an abandoned handler again waits for this lock. */
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

/** In order of lane, as claim and settle lock them. Index: heads_due. */
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
