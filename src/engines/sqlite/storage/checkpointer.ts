import type { Checkpointed } from './disk-thread.ts'
import { query, type SqliteSql } from '../sql.ts'

/** Copies the WAL into the database. */
export interface Checkpointer {
  /**
   * Called after a commit and its answers, with the size of the WAL file in bytes. If it returns a promise the writer waits for it: SQLite
   * starts again at the beginning of the WAL only if nothing is written while the last pages are copied, and under load such a pause
   * does not come by itself.
   */
  afterCommit(walBytes: number): Promise<void> | undefined
  /** Copies everything and empties the WAL. False when another connection still reads an older snapshot. */
  truncate(): Promise<boolean>
  close(): void
}

export interface CheckpointOptions {
  readonly run: (mode: 'passive' | 'truncate') => Promise<Checkpointed>
  /** Beyond this size, in bytes, the WAL file is truncated while the writer goes on. */
  readonly limitBytes: () => number
  /** The size of the WAL file now. */
  readonly walBytes: () => number
  /** The WAL is larger than its limit and cannot be copied, because another connection reads an older snapshot. */
  readonly onStuck: (walBytes: number) => void
  readonly pageBytes: number
}

const retryMs = 1_000
/** An online backup or a slow query ends by itself, so a warning is logged only after two failed attempts, a second apart. */
const attemptsUntilStuck = 2

export function createCheckpointer({
  run,
  limitBytes,
  walBytes,
  onStuck,
  pageBytes,
}: CheckpointOptions): Checkpointer {
  let commits = 0
  let commitsPerCheckpoint = 128
  let truncating = false
  let checkpointing = false
  let isLong = false
  let attempts = 0
  let retry: NodeJS.Timeout | undefined
  let closed = false

  /** The goal is a quarter of the limit: of 64 MB, 16 MB, which take some milliseconds. */
  async function checkpoint(): Promise<void> {
    checkpointing = true
    try {
      const { log } = await run('passive')
      const goal = limitBytes() / 4 / pageBytes
      isLong = log > goal * 2
      if (isLong) commitsPerCheckpoint = Math.max(1, commitsPerCheckpoint / 2)
      if (log < goal / 2) commitsPerCheckpoint = Math.min(1_024, commitsPerCheckpoint * 2)
    } catch {
      // Nothing is lost: the WAL still holds all commits, and the next commit reports the disk's error.
    }
    checkpointing = false
  }

  /** Runs while the writer goes on, because copying hundreds of MB takes seconds. */
  async function truncateWhileWriting(): Promise<void> {
    truncating = true
    try {
      const { log, checkpointed } = await run('passive')
      // After close the thread would open the path again, and make a new file if there is none.
      if (!closed && checkpointed === log && (await run('truncate')).busy === 0) return endTruncating()
    } catch {
      // As in `checkpoint`.
    }
    if (closed || walBytes() <= limitBytes()) return endTruncating()
    attempts += 1
    if (attempts >= attemptsUntilStuck) onStuck(walBytes())
    // A real timer, whatever clock the inbox has: the other connection lives in real time.
    retry = setTimeout(() => void truncateWhileWriting(), retryMs).unref()
  }

  function endTruncating(): void {
    truncating = false
    attempts = 0
  }

  return {
    afterCommit(bytes) {
      if (truncating) return undefined
      if (bytes > limitBytes()) {
        void truncateWhileWriting()
        return undefined
      }
      if (checkpointing || ++commits < commitsPerCheckpoint) return undefined
      commits = 0
      const waits = isLong
      const done = checkpoint()
      return waits ? done : undefined
    },
    async truncate() {
      await run('passive') // Takes longest, and does not hold the write lock.
      return (await run('truncate')).busy === 0
    },
    close() {
      closed = true
      clearTimeout(retry)
    },
  }
}

/** Checkpoints on this connection, and so on this thread. */
export function prepareCheckpoint(db: SqliteSql): (mode: 'passive' | 'truncate') => Promise<Checkpointed> {
  const modes = {
    passive: query<Checkpointed>(db, 'pragma wal_checkpoint(passive)'),
    truncate: query<Checkpointed>(db, 'pragma wal_checkpoint(truncate)'),
  }
  return async (mode) => modes[mode].get() ?? { busy: 1, log: 0, checkpointed: 0 }
}
