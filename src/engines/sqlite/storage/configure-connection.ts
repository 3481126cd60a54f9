import type { SqliteSql } from '../sql.ts'
import { walLimit } from './wal-limit.ts'

/**
 * Sets every pragma that durability and speed depend on, because the defaults of a build, or of a given handle, may differ.
 *
 * @param checkpointsElsewhere Another thread checkpoints this database.
 */
export function configureConnection(db: SqliteSql, checkpointsElsewhere: boolean): void {
  // 46,000 appends/s and 2.5 KB an event, against 28,000 and 4.3 KB with pages of 4 KB. It has an effect only before the first write.
  db.exec('pragma page_size = 16384')
  // SQLite blocks the event loop while it waits for the lock. `sessions.ts` waits longer, asynchronously.
  db.exec('pragma busy_timeout = 5')
  db.exec('pragma journal_mode = wal')
  // For the writes at open, and for databases without a WAL. Otherwise the session sets `normal` and syncs the WAL itself.
  db.exec('pragma synchronous = full')
  // Erased bytes must not stay in free pages.
  db.exec('pragma secure_delete = on')
  // A checkpoint waits for the disk, so this thread must not do it where another one can. 8,000 pages: only if `checkpointer.ts` fails.
  db.exec(`pragma wal_autocheckpoint = ${checkpointsElsewhere ? 0 : 8_000}`)
  db.exec(`pragma journal_size_limit = ${walLimit(Infinity)}`)
  db.exec('pragma cache_size = -16384')
  // Savepoints keep their undo data here.
  db.exec('pragma temp_store = memory')
}
