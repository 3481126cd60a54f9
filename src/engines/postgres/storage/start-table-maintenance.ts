import { execute, type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Connected } from './connect.ts'
import { makePartitions } from './make-partitions.ts'
import { withConnection } from './with-connection.ts'

const partitionEveryMs = 60 * 60_000
const vacuumEveryMs = 10_000
/** Dead rows from which a table is vacuumed. To see that an empty intake is empty, a query reads so many dead index entries in 0.5 ms. */
const vacuumFrom = 20_000

/**
 * Makes and compacts partitions, and vacuums the tables through which deliveries pass, until the returned function is called. Every node has
 * these timers; locks in the database let one node work at a time. The timers are real ones and keep no process alive. What fails is done by the
 * next timer: until then the default partitions take new rows, and autovacuum vacuums.
 */
export function startTableMaintenance(connected: Connected, schema: string): () => void {
  const repeat = (ms: number, run: (client: PostgresClient) => Promise<unknown>) =>
    setInterval(() => void withConnection(connected, run).catch(() => {}), ms).unref()
  const timers = [
    repeat(partitionEveryMs, (client) => makePartitions(client, schema)),
    repeat(partitionEveryMs, prepareCompactPartition(schema)),
    repeat(vacuumEveryMs, prepareVacuum(schema)),
  ]
  return () => timers.forEach((timer) => clearInterval(timer))
}

/** Gives the disk space of one week back to the operating system, if most of the week was pruned. */
function prepareCompactPartition(schema: string): Statement<never> {
  return statement(`${schema}.compact`, `select ${schema}.compact()`)
}

/**
 * Autovacuum looks once a minute. Half a million deliveries may pass in that time, and every query reads the dead index entries they left.
 * Needs the owner of the tables, or MAINTAIN from PostgreSQL 17 on; for another role PostgreSQL skips the table.
 */
function prepareVacuum(schema: string): (client: PostgresClient) => Promise<void> {
  const findDirty = prepareFindDirty(schema)
  return async (client) => {
    for (const { name } of await findDirty(client, vacuumFrom)) {
      await execute(client, `vacuum (skip_locked, truncate false) ${name}`)
    }
  }
}

function prepareFindDirty(schema: string): Statement<{ name: string }> {
  return statement(
    `${schema}.dirty`,
    `
    select relid::regclass::text as name from pg_stat_user_tables
    where n_dead_tup > $1
      and relid in ('${schema}.intake'::regclass, '${schema}.parked'::regclass, '${schema}.heads'::regclass)
    `,
  )
}
