import { DatabaseSync } from 'node:sqlite'
import { query } from '../sql.ts'

/* For the thread that reads: its other connection is read-only, and a checkpoint writes. */

let writable: { readonly path: string; readonly db: DatabaseSync } | undefined

function connectionTo(path: string): DatabaseSync {
  if (writable?.path !== path) {
    writable?.db.close()
    writable = { path, db: new DatabaseSync(path, { timeout: 1_000 }) }
  }
  return writable.db
}

/**
 * Copies the WAL into the database. Replay and prune call it after some of their writes. Otherwise the main thread would checkpoint them, where a
 * checkpoint with its sync took up to 35 ms.
 */
export function checkpointWal(path: string): void {
  connectionTo(path).prepare('pragma wal_checkpoint(passive)').get()
}

/**
 * Copies the WAL into the database and empties it. Because `secure_delete` is on, erased bytes are then overwritten in both files. False
 * while another connection reads an older snapshot. The passive checkpoint goes first, since it does not block writers.
 */
export function truncateWal(path: string): boolean {
  checkpointWal(path)
  const truncate = query<{ busy: number }>(connectionTo(path), 'pragma wal_checkpoint(truncate)')
  return truncate.get()?.busy === 0
}
