import { isLost } from '../errors.ts'
import { execute, type PostgresClient } from '../sql.ts'

/**
 * Commits what `run` did, or rolls it back. When the connection is lost at the commit, it is unknown whether the transaction was committed.
 * When the rollback fails, its error is thrown instead: the caller then closes the connection, which rolls back, too.
 */
export async function transact<T>(
  client: PostgresClient,
  begin: string,
  run: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  try {
    await execute(client, begin)
    const result = await run(client)
    await execute(client, 'commit')
    return result
  } catch (error) {
    if (!isLost(error)) await execute(client, 'rollback')
    throw error
  }
}

/**
 * Every frequent statement finds its rows by the one index that was made for it. The planner, left to choose, trusts statistics from when
 * the table was empty, or a limit whose value it does not know, and reads whole tables.
 */
export const byIndex: string = [
  'set local enable_seqscan = off',
  'set local enable_bitmapscan = off',
  'set local enable_hashjoin = off',
  'set local enable_mergejoin = off',
].join('; ')

/**
 * These settings are repeated in each transaction. Set once for a connection they would be lost behind a pooler, which may run the next
 * transaction on another connection; not set at all, defaults of the role or of the database apply. The timeout ends a transaction, and
 * frees its locks, when this process stands still for 10 s.
 */
export const begin: string = [
  'begin isolation level read committed',
  'set local synchronous_commit = on',
  'set local idle_in_transaction_session_timeout = 10000',
  byIndex,
].join('; ')

/** A condition of a statement that runs without `begin`: its commit waits for the disk, whatever the default of the role is. */
export const durably = `(select set_config('synchronous_commit', 'on', true)) = 'on'`
