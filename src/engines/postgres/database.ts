import { setTimeout as pause } from 'node:timers/promises'
import { FusewireError } from '../../model/errors.ts'
import { connect, type Connected, type PostgresUrl } from './connect.ts'
import { isLost, isPassing } from './errors.ts'
import { makePartitions } from './partitions.ts'
import { migrate } from './schema.ts'
import { execute, type PostgresClient, type PostgresPool } from './sql.ts'

/** The store, opened by whoever needs it first; an open that failed is tried again by the next. */
export interface Database {
  open(): Promise<void>
  /** Runs with a connection, of which each statement is a transaction by itself; again, for a while, when what failed passes. */
  use<T>(run: (client: PostgresClient) => Promise<T>): Promise<T>
  /** The same in one transaction, which commits when `run` resolves. */
  transact<T>(run: (client: PostgresClient) => Promise<T>): Promise<T>
  /** Once: the connection is whoever's runs, and nothing is tried again. */
  once<T>(run: (client: PostgresClient) => Promise<T>): Promise<T>
  pool(): Promise<PostgresPool>
  close(): Promise<void>
}

/** FusionAuth itself waits 2 s for an answer: beyond that we would acknowledge to nobody. */
const pausesMs = [5, 25, 100, 300, 1_000]

export function database(to: PostgresUrl | PostgresPool, schema: string): Database {
  let opening: Promise<Connected> | undefined
  let closed = false

  async function openOnce(): Promise<Connected> {
    const connected = await connect(to)
    try {
      await once(connected.pool, async (client) => {
        await migrate(client, schema)
        await makePartitions(client, schema)
      })
      return connected
    } catch (error) {
      await connected.end()
      throw error
    }
  }

  async function opened(): Promise<PostgresPool> {
    if (closed) {
      throw new FusewireError('FW_STOPPED', 'This inbox was closed. Build a new engine to open it again.')
    }
    opening ??= openOnce().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return (await opening).pool
  }

  /** In real time: so do the server's restart, and whoever deadlocked with us. */
  async function patiently<T>(run: () => Promise<T>): Promise<T> {
    for (const pauseMs of pausesMs) {
      try {
        return await run()
      } catch (error) {
        if (closed || !isPassing(error)) throw error
      }
      await pause(pauseMs)
    }
    return run()
  }

  return {
    async open() {
      await patiently(opened)
    },
    use: (run) => patiently(async () => once(await opened(), run)),
    transact: (run) => patiently(async () => once(await opened(), (client) => transact(client, begin, run))),
    once: async (run) => once(await opened(), run),
    pool: opened,
    async close() {
      closed = true
      const connected = await opening?.catch(() => undefined)
      opening = undefined
      await connected?.end()
    },
  }
}

const heard = new WeakSet<PostgresClient>()

async function once<T>(pool: PostgresPool, run: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  if (!heard.has(client)) {
    heard.add(client)
    client.on('error', () => {}) // The statement under way rejects with it; without a listener it would end the process too.
  }
  try {
    const result = await run(client)
    client.release()
    return result
  } catch (error) {
    client.release(isLost(error))
    throw error
  }
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
const begin = [
  'begin isolation level read committed',
  'set local synchronous_commit = on',
  'set local idle_in_transaction_session_timeout = 10000',
  byIndex,
].join('; ')
