import type { Connected } from './connect.ts'
import { compactPartition, makePartitions } from './make-partitions.ts'
import { execute, type PostgresClient, type Statement, statement } from '../sql.ts'
import { withConnection } from '../write/transact.ts'

const partitionEveryMs = 60 * 60_000
const sweepEveryMs = 10_000
/** A look at an empty intake walks over this many that have left it in half a millisecond. */
const sweepFrom = 20_000

/**
 * What somebody must do now and then, until it is stopped: one node does it for all. In real timers, which keep no process alive; what fails
 * is done the next time, and until then the default partitions hold what comes, and autovacuum sweeps.
 */
export function startTableMaintenance(connected: Connected, schema: string): () => void {
  const repeat = (ms: number, run: (client: PostgresClient) => Promise<unknown>) =>
    setInterval(() => void withConnection(connected, run).catch(() => {}), ms).unref()
  const timers = [
    repeat(partitionEveryMs, (client) => makePartitions(client, schema)),
    repeat(partitionEveryMs, (client) => compactPartition(client, schema)),
    repeat(sweepEveryMs, prepareVacuumHotTables(schema)),
  ]
  return () => timers.forEach((timer) => clearInterval(timer))
}

/**
 * Autovacuum looks once a minute, in which half a million deliveries may have passed, and every look walks over the index entries they
 * left. Needs to be the tables' owner; for another role PostgreSQL skips it.
 */
function prepareVacuumHotTables(schema: string): (client: PostgresClient) => Promise<void> {
  const findDirty = prepareFindDirty(schema)
  return async (client) => {
    for (const { name } of await findDirty(client, sweepFrom)) {
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
