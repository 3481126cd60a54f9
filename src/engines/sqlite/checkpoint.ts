import { query, type SqliteSql } from './sql.ts'

/** How much of the write-ahead log a checkpoint should find, in pages: 16 MB, some milliseconds. */
const goal = 1_000

/**
 * Moves the write-ahead log into the database, every so many calls. Called after the answers are given, so that no acknowledgement
 * waits for it.
 */
export function checkpointing(db: SqliteSql): () => void {
  const checkpoint = query<{ log: number }>(db, 'pragma wal_checkpoint(passive)')
  let commits = 0
  let every = 128
  return () => {
    if (++commits < every) return
    commits = 0
    try {
      const pages = checkpoint.get()?.log ?? 0
      if (pages > goal * 2) every = Math.max(1, every / 2)
      if (pages < goal / 2) every = Math.min(1_024, every * 2)
    } catch {
      // Nothing is lost: the log holds it all, and what is wrong with the disk will be said by the next commit.
    }
  }
}
