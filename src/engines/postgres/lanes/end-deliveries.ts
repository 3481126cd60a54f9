import { type PostgresClient, statement } from '../sql.ts'

/** How the deliveries of locked heads end: one element of each column for each delivery. */
export type EndColumns = readonly [
  lanes: readonly string[],
  positions: readonly number[],
  created: readonly number[],
  attempts: readonly number[],
  states: readonly ('succeeded' | 'dead')[],
  reasons: readonly (string | null)[],
  failures: readonly (string | null)[],
  /** Lanes that failing deliveries still hold, if they held them before. Default: none. */
  held?: readonly string[],
]

/**
 * Moves deliveries of one handler to the table finished or dead. The first parked delivery of a lane becomes its head; a lane without one
 * is free.
 *
 * No table is joined to a list: with outdated statistics the planner would read the whole table and search the list for each row (0.8 s
 * where this takes 10 ms). Rows are found by the values of one array, or one by one in a subquery. Indexes: primary keys.
 */
export function prepareEndDeliveries(
  schema: string,
): (client: PostgresClient, handler: number, ...columns: EndColumns) => Promise<void> {
  const end = statement(
    `${schema}.end_deliveries`,
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
