import { accessSync, closeSync, constants, existsSync, openSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FusewireError } from '../../../model/errors.ts'
import { assertDurable } from './assert-durable.ts'
import { query, type SqliteSql } from '../sql.ts'

/** A database and where it lies. */
export interface OpenFile {
  readonly db: SqliteSql
  /** '' in memory. */
  readonly path: string
  close(): void
}

/** Opens the database at a path, made for its owner alone if need be, or takes a handle, which its owner closes. */
export function openFile(file: string | SqliteSql, allowVolatile: boolean): OpenFile {
  if (typeof file !== 'string') {
    const main = query<{ file: string }>(file, `select file from pragma_database_list where name = 'main'`)
    const path = main.get()?.file ?? ''
    if (!allowVolatile) assertDurablePath(path)
    return { db: file, path, close: () => {} }
  }
  const path = file === ':memory:' ? '' : resolve(file)
  if (!allowVolatile) assertDurablePath(path)
  // SQLite gives -wal and -shm the rights of the database: made beside a read-only one, they would stay read-only when it no longer is.
  if (path !== '' && !existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  if (path !== '') accessSync(path, constants.R_OK | constants.W_OK)
  const db = new DatabaseSync(path === '' ? ':memory:' : path)
  return { db, path, close: () => db.close() }
}

function assertDurablePath(path: string): void {
  if (path !== '') return assertDurable(dirname(path))
  throw new FusewireError(
    'FW_DISK_NOT_DURABLE',
    'A SQLite database in memory forgets what was acknowledged. Give sqlite() a file, or say { allowVolatile: true } in a test.',
  )
}

/**
 * Remembers which files lie at a path now. The function it returns gives the size of the write-ahead log in bytes, and throws when other
 * files lie there, or none: after an unlink or a rename SQLite goes on committing into nothing, without an error. Two stats: 7 us.
 */
export function holdInPlace(path: string): () => number {
  if (path === '') return () => 0
  const held = identitiesAt(path)
  return () => {
    const found = identitiesAt(path)
    if (found.database === held.database && found.log === held.log) return found.logBytes
    throw new FusewireError(
      'FW_INBOX_MOVED',
      `${path} was removed or replaced while it was open, so what was being written is not in it. ` +
        'The next call opens whatever lies there then; stop the process before moving an inbox.',
    )
  }
}

/** The size of a database's write-ahead log. */
export function logBytesOf(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

function identitiesAt(path: string): {
  readonly database: string | undefined
  readonly log: string | undefined
  readonly logBytes: number
} {
  const database = statSync(path, { throwIfNoEntry: false })
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  return { database: identity(database), log: identity(log), logBytes: log?.size ?? 0 }
}

function identity(stats: Stats | undefined): string | undefined {
  return stats && `${stats.dev}:${stats.ino}`
}
