import { setTimeout as pause } from 'node:timers/promises'
import { FusewireError } from '../../../model/errors.ts'
import { connect, type Connected, type PostgresUrl } from './connect.ts'
import { isPassing, withAdvice } from '../errors.ts'
import { makePartitions } from './make-partitions.ts'
import { migrate } from '../schema.ts'
import type { PostgresClient, PostgresPool } from '../sql.ts'
import { begin, withConnection, transact } from '../write/transact.ts'
import { startTableMaintenance } from './start-table-maintenance.ts'

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
/** After this nothing is tried again, however few the tries were: a server that says nothing takes seconds for each. */
const patienceMs = 2_500

export interface DatabaseOptions {
  readonly to: PostgresUrl | PostgresPool
  readonly schema: string
  /** Whether statements are planned once for each connection. */
  readonly prepare: boolean
}

export function createDatabase({ to, schema, prepare }: DatabaseOptions): Database {
  let opening: Promise<Connected> | undefined
  let connected: Connected | undefined
  let stopUpkeep = (): void => {}
  let closed = false

  async function openOnce(): Promise<Connected> {
    connected = await connect(to, prepare)
    try {
      assertOpen()
      await withConnection(connected, async (client) => {
        await migrate(client, schema)
        await makePartitions(client, schema)
      })
      assertOpen()
      stopUpkeep = startTableMaintenance(connected, schema)
      return connected
    } catch (error) {
      await connected.close()
      throw error
    }
  }

  async function opened(): Promise<Connected> {
    assertOpen()
    opening ??= openOnce().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }

  function assertOpen(): void {
    if (!closed) return
    throw new FusewireError('FW_STOPPED', 'This inbox was closed. Build a new engine to open it again.')
  }

  /** In real time: so do the server's restart, and whoever deadlocked with us. */
  async function patiently<T>(run: () => Promise<T>): Promise<T> {
    const until = performance.now() + patienceMs
    for (const pauseMs of pausesMs) {
      try {
        return await run()
      } catch (error) {
        if (closed || !isPassing(error) || performance.now() > until) throw withAdvice(error)
      }
      await pause(pauseMs)
    }
    return run().catch((error: unknown) => {
      throw withAdvice(error)
    })
  }

  return {
    async open() {
      await patiently(opened)
    },
    use: (run) => patiently(async () => withConnection(await opened(), run)),
    transact: (run) =>
      patiently(async () => withConnection(await opened(), (client) => transact(client, begin, run))),
    once: async (run) => withConnection(await opened(), run),
    pool: async () => (await opened()).pool,
    async close() {
      closed = true
      stopUpkeep()
      await connected?.close()
    },
  }
}
