import { setTimeout as pause } from 'node:timers/promises'
import type * as Pg from 'pg'
import { codeOf } from '../../../lib/code-of.ts'
import { FusewireError, wrongOption } from '../../../model/errors.ts'
import type { PostgresClient, PostgresPool } from '../sql.ts'
import { withoutPreparedStatements } from './without-prepared-statements.ts'

/** A connection string, or a function that fetches it when the inbox opens. */
export type PostgresUrl = string | undefined | (() => string | undefined | Promise<string | undefined>)

/** The pool of an open inbox. */
export interface Connected {
  readonly pool: PostgresPool
  /** Connections that the inbox has taken out of the pool and not given back. */
  readonly borrowed: Set<PostgresClient>
  /** Waits half a second for borrowed connections, then closes those that are left. Ends the pool, unless the caller gave it. */
  close(): Promise<void>
}

/** How long closing waits for the server's last answers. */
const closeWithinMs = 500

/** Makes a pool for a URL. A pool that was given stays its owner's. Connections are made when they are first needed. */
export async function connect(to: PostgresUrl | PostgresPool, prepare: boolean): Promise<Connected> {
  const { pool, end } = typeof to === 'object' ? givenPool(to) : await ownPool(to)
  const borrowed = new Set<PostgresClient>()
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    const endsAt = performance.now() + closeWithinMs
    while (borrowed.size > 0 && performance.now() < endsAt) await pause(10)
    for (const client of borrowed) {
      borrowed.delete(client)
      client.unref?.() // A server that does not answer would keep the process alive by this connection.
      client.release(true)
    }
    await end()
  }

  return {
    pool: prepare ? pool : withoutPreparedStatements(pool),
    borrowed,
    close: () => (closing ??= close()),
  }
}

/**
 * Listens to errors of the pool's idle connections, and of those that are cut as soon as they are made: without a listener each would end
 * the process. The pool itself drops such a connection, and makes another when one is needed.
 */
function ignoreIdleErrors(pool: PostgresPool): () => void {
  const onError = (): void => {}
  const onConnect = (client: PostgresClient): void => void client.on('error', onError)
  pool.on?.('error', onError)
  pool.on?.('connect', onConnect)
  return () => {
    pool.off?.('error', onError)
    pool.off?.('connect', onConnect)
  }
}

function givenPool(pool: PostgresPool): { pool: PostgresPool; end: () => Promise<void> } {
  const stopListening = ignoreIdleErrors(pool)
  return { pool, end: async () => stopListening() }
}

async function ownPool(to: PostgresUrl): Promise<{ pool: PostgresPool; end: () => Promise<void> }> {
  const url = await readUrl(to)
  const { Pool } = await loadPg()
  const pool = new Pool({
    connectionString: url,
    max: 16,
    application_name: 'fusewire',
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    allowExitOnIdle: true,
  })
  ignoreIdleErrors(pool) // Never taken off again: connections may still fail while they end.
  return {
    pool,
    end: () => Promise.race([pool.end(), pause(closeWithinMs, undefined, { ref: false })]),
  }
}

async function readUrl(given: PostgresUrl): Promise<string> {
  const url = typeof given === 'function' ? await given() : given
  if (url === undefined || url === '') {
    throw new FusewireError(
      'FW_KEY_MISSING',
      'postgres(url): the url is undefined. If it comes from the environment, set the variable.',
    )
  }
  if (/^postgres(ql)?:\/\//.test(url)) return url
  throw wrongOption('url', 'postgres(url): a url begins with postgres:// or postgresql://.')
}

async function loadPg(): Promise<typeof Pg> {
  try {
    return await import('pg')
  } catch (cause) {
    if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw wrongOption(
      'url',
      'postgres(url) needs the package pg: run npm install pg, or give postgres() a pool of your own.',
      cause,
    )
  }
}
