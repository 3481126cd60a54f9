import { setTimeout as pause } from 'node:timers/promises'
import { FusewireError } from '../../model/errors.ts'
import { connect, type Connected, type PostgresUrl } from './connect.ts'
import { isPassing } from './errors.ts'
import { makePartitions } from './partitions.ts'
import { migrate } from './schema.ts'
import type { PostgresClient, PostgresPool } from './sql.ts'
import { begin, once, transact } from './transaction.ts'
import { upkeep } from './upkeep.ts'

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

export interface DatabaseOptions {
  readonly to: PostgresUrl | PostgresPool
  readonly schema: string
  /** Whether statements are planned once for each connection. */
  readonly prepare: boolean
}

export function database({ to, schema, prepare }: DatabaseOptions): Database {
  let opening: Promise<Connected> | undefined
  let stopUpkeep = (): void => {}
  let closed = false

  async function openOnce(): Promise<Connected> {
    const connected = await connect(to, prepare)
    try {
      await once(connected.pool, async (client) => {
        await migrate(client, schema)
        await makePartitions(client, schema)
      })
      stopUpkeep = upkeep(connected.pool, schema)
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
      stopUpkeep()
      await connected?.end()
    },
  }
}
