import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FusewireError } from '../../../model/errors.ts'
import { assertDurable } from './assert-durable.ts'
import { query, type SqliteSql } from '../sql.ts'

/** An open database and its path. */
export interface OpenFile {
  readonly db: SqliteSql
  /** '' for a database in memory. */
  readonly path: string
  close(): void
}

/**
 * Opens the database at a path. A new file is readable and writable by its owner alone (0600). A given handle is used as it is, and closing
 * is left to its owner.
 */
export function openFile(file: string | SqliteSql, allowVolatile: boolean): OpenFile {
  if (typeof file !== 'string') {
    const main = query<{ file: string }>(file, `select file from pragma_database_list where name = 'main'`)
    const path = main.get()?.file ?? ''
    if (!allowVolatile) assertDurablePath(path)
    return { db: file, path, close: () => {} }
  }
  const path = file === ':memory:' ? '' : resolve(file)
  if (!allowVolatile) assertDurablePath(path)
  // SQLite gives -wal and -shm the mode of the database: if it was read-only then, they stay read-only when the database no longer is.
  if (path !== '' && !existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  if (path !== '') accessSync(path, constants.R_OK | constants.W_OK)
  const db = new DatabaseSync(path === '' ? ':memory:' : path)
  return { db, path, close: () => db.close() }
}

function assertDurablePath(path: string): void {
  if (path !== '') return assertDurable(dirname(path))
  throw new FusewireError(
    'FW_DISK_NOT_DURABLE',
    'A SQLite database in memory loses acknowledged events when the process ends. Give sqlite() a file, or in a test set { allowVolatile: true }.',
  )
}
