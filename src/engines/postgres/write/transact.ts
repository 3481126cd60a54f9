import type { Connected } from '../storage/connect.ts'
import { isLost } from '../errors.ts'
import { answerWithinMs, execute, type PostgresClient, type PostgresPool } from '../sql.ts'

const heard = new WeakSet<PostgresClient>()

/** Runs with a connection of the pool's. */
export async function withConnection<T>(
  { pool, borrowed }: Connected,
  run: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  const client = await take(pool)
  borrowed.add(client)
  if (!heard.has(client)) {
    heard.add(client)
    client.on('error', () => {}) // The statement under way rejects with it; without a listener it would end the process too.
  }
  try {
    const result = await run(client)
    if (borrowed.delete(client)) client.release()
    return result
  } catch (error) {
    if (borrowed.delete(client)) client.release(isLost(error)) // Unless the inbox was closed meanwhile, and cut it.
    throw error
  }
}

/** Takes a connection from the pool, with a timeout of ours: `pg` waits for ever unless `connectionTimeoutMillis` is set. */
function take(pool: PostgresPool): Promise<PostgresClient> {
  if (pool.options?.connectionTimeoutMillis) return pool.connect()
  return new Promise((resolve, reject) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new Error(`timeout exceeded when trying to connect: no connection in ${answerWithinMs} ms`))
    }, answerWithinMs)
    pool.connect().then(
      (client) => {
        clearTimeout(timer)
        if (isLate) client.release()
        else resolve(client)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

/** Commits what `run` did, or undoes it. Outcomes are unknown when the connection is lost at the commit. */
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
 * Every hot statement looks rows up by the one index made for it. Left to choose, the planner trusts statistics of a time when the table was
 * empty, or a limit it does not know, and walks whole tables.
 */
export const byIndex: string = [
  'set local enable_seqscan = off',
  'set local enable_bitmapscan = off',
  'set local enable_hashjoin = off',
  'set local enable_mergejoin = off',
].join('; ')

/**
 * Said in each transaction, not once a connection: defaults of the role or the database silently win over what nobody says, and behind a
 * pooler the next transaction may run on a connection that heard nothing. A process that is held up keeps no lock for longer than 10 s.
 */
export const begin: string = [
  'begin isolation level read committed',
  'set local synchronous_commit = on',
  'set local idle_in_transaction_session_timeout = 10000',
  byIndex,
].join('; ')
