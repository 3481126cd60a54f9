import { setTimeout as pause } from 'node:timers/promises'
import { FusewireError } from '../../../model/errors.ts'
import { isPassing, withAdvice } from '../errors.ts'
import { migrate } from '../schema.ts'
import type { PostgresClient, PostgresPool } from '../sql.ts'
import { begin, transact } from '../write/transact.ts'
import { connect, type Connected, type PostgresUrl } from './connect.ts'
import { makePartitions } from './make-partitions.ts'
import { startTableMaintenance } from './start-table-maintenance.ts'
import { withConnection } from './with-connection.ts'

/** The connections to the inbox's tables. The first call of any method opens them; when that fails, the next call tries again. */
export interface Database {
  open(): Promise<void>
  /**
   * Runs with a connection on which each statement is a transaction of its own. Runs again when an error is likely to pass, such as a cut
   * connection or a deadlock: what ran before may have been committed.
   */
  use<T>(run: (client: PostgresClient) => Promise<T>): Promise<T>
  /** Like `use`, in one transaction, which is committed when `run` resolves. */
  transact<T>(run: (client: PostgresClient) => Promise<T>): Promise<T>
  /** Runs once, with a connection on which `run` itself begins and ends transactions. */
  withConnection<T>(run: (client: PostgresClient) => Promise<T>): Promise<T>
  pool(): Promise<PostgresPool>
  close(): Promise<void>
}

/** 1.4 s in all: FusionAuth waits 2 s for an answer by default, so an acknowledgement after that would reach no one. */
const retryPausesMs = [5, 25, 100, 300, 1_000]
/** Nothing is tried again after this time, because each try takes seconds when the server does not answer. */
const retryWithinMs = 2_500

export interface DatabaseOptions {
  readonly to: PostgresUrl | PostgresPool
  readonly schema: string
  /** Whether statements are planned once for each connection. */
  readonly prepare: boolean
}

export function createDatabase({ to, schema, prepare }: DatabaseOptions): Database {
  let opening: Promise<Connected> | undefined
  let connected: Connected | undefined
  let stopMaintenance = (): void => {}
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
      stopMaintenance = startTableMaintenance(connected, schema)
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
    throw new FusewireError('FW_STOPPED', 'This inbox was closed. Create a new engine to open it again.')
  }

  /** Waits in real time, because the server's restart and other transactions take real time. */
  async function retry<T>(run: () => Promise<T>): Promise<T> {
    const until = performance.now() + retryWithinMs
    for (const pauseMs of retryPausesMs) {
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
      await retry(opened)
    },
    use: (run) => retry(async () => withConnection(await opened(), run)),
    transact: (run) =>
      retry(async () => withConnection(await opened(), (client) => transact(client, begin, run))),
    withConnection: async (run) => withConnection(await opened(), run),
    pool: async () => (await opened()).pool,
    async close() {
      closed = true
      stopMaintenance()
      await connected?.close()
    },
  }
}
