import type { Checkpointed } from './disk-thread.ts'

/** Moves the write-ahead log into the database. */
export interface Checkpointer {
  /**
   * After a commit and its answers, with the size of the log's file in bytes. The writer waits for the promise, if there is one: a log is
   * used again from its beginning only when nobody writes to it while its last pages are moved, which does not happen by itself under load.
   */
  afterCommit(logBytes: number): Promise<void> | undefined
  /** Moves everything and empties the log. False when a connection still reads an older state of the database. */
  emptyLog(): Promise<boolean>
  close(): void
}

export interface CheckpointOptions {
  readonly run: (mode: 'passive' | 'truncate') => Promise<Checkpointed>
  /** How large the log's file may become, in bytes, before it is shrunk while the writer goes on. */
  readonly limitBytes: () => number
  /** The size of the log's file now. */
  readonly logBytes: () => number
  /** The log is larger than its limit and cannot be moved: a connection reads an older state of the database. */
  readonly onStuck: (logBytes: number) => void
  readonly pageBytes: number
}

const retryMs = 1_000
/** An online backup or a slow query ends by itself: two attempts a second apart have to fail before a warning is logged. */
const attemptsUntilStuck = 2

export function checkpointer({
  run,
  limitBytes,
  logBytes,
  onStuck,
  pageBytes,
}: CheckpointOptions): Checkpointer {
  let commits = 0
  let every = 128
  let shrinking = false
  let moving = false
  let isLong = false
  let attempts = 0
  let retry: NodeJS.Timeout | undefined
  let closed = false

  /** A quarter of the limit: of 64 MB, 16 MB, which take some milliseconds. */
  async function moveLog(): Promise<void> {
    moving = true
    try {
      const { log } = await run('passive')
      const goal = limitBytes() / 4 / pageBytes
      isLong = log > goal * 2
      if (isLong) every = Math.max(1, every / 2)
      if (log < goal / 2) every = Math.min(1_024, every * 2)
    } catch {
      // Nothing is lost: the log holds it all, and the next commit reports what is wrong with the disk.
    }
    moving = false
  }

  /** Runs while the writer goes on, because moving hundreds of MB takes seconds. */
  async function shrinkLog(): Promise<void> {
    shrinking = true
    try {
      const { log, checkpointed } = await run('passive')
      // Once it is closed the thread would open the path again, or make a file there if none is left.
      if (!closed && checkpointed === log && (await run('truncate')).busy === 0) return endShrinking()
    } catch {
      // As above.
    }
    if (closed || logBytes() <= limitBytes()) return endShrinking()
    attempts += 1
    if (attempts >= attemptsUntilStuck) onStuck(logBytes())
    // In real time, whatever clock the inbox has: the connection in the way lives in real time, too.
    retry = setTimeout(() => void shrinkLog(), retryMs).unref()
  }

  function endShrinking(): void {
    shrinking = false
    attempts = 0
  }

  return {
    afterCommit(bytes) {
      if (shrinking) return undefined
      if (bytes > limitBytes()) {
        void shrinkLog()
        return undefined
      }
      if (moving || ++commits < every) return undefined
      commits = 0
      const waits = isLong
      const moved = moveLog()
      return waits ? moved : undefined
    },
    async emptyLog() {
      await run('passive') // What takes long does not hold the write lock.
      return (await run('truncate')).busy === 0
    },
    close() {
      closed = true
      clearTimeout(retry)
    },
  }
}
