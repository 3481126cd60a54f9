import type * as Pg from 'pg'
import { codeOf, FusewireError } from '../../model/errors.ts'
import type { PostgresPool } from './sql.ts'
import { unprepared } from './unprepared.ts'

/** A connection string, or a function that fetches it when the inbox opens. */
export type PostgresUrl = string | undefined | (() => string | undefined | Promise<string | undefined>)

/** A pool, and whether it ends with the inbox. */
export interface Connected {
  readonly pool: PostgresPool
  end(): Promise<void>
}

/** Opens a pool for a URL; a pool that was given stays its owner's. Connections are made when they are needed. */
export async function connect(to: PostgresUrl | PostgresPool, prepare: boolean): Promise<Connected> {
  const given = typeof to === 'object' ? { pool: to, end: async () => {} } : await poolOf(to)
  return prepare ? given : { ...given, pool: unprepared(given.pool) }
}

async function poolOf(to: PostgresUrl): Promise<Connected> {
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
  pool.on('error', () => {}) // An idle connection was cut; the pool has dropped it, and the next call makes another.
  pool.on('connect', (client) => client.on('error', () => {})) // Cut as soon as it was made, before anybody could listen.
  return { pool, end: () => pool.end() }
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
  throw new FusewireError('FW_OPTION', 'postgres(url): a url begins with postgres:// or postgresql://.')
}

async function loadPg(): Promise<typeof Pg> {
  try {
    return await import('pg')
  } catch (cause) {
    if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new FusewireError(
      'FW_OPTION',
      'postgres(url) needs the package pg: run npm install pg, or give postgres() a pool of your own.',
      { cause },
    )
  }
}
