import { query, type SqliteSql } from '../sql.ts'
import { walBytesOf } from './check-in-place.ts'
import { createCheckpointer, prepareCheckpoint } from './checkpointer.ts'
import type { DiskSpace } from './disk-space.ts'
import type { DiskThread } from './disk-thread.ts'
import { walLimit } from './wal-limit.ts'
import { openWalSync } from './wal-sync.ts'

/** The write-ahead log (WAL) of one connection: every commit is written there first, and a checkpoint copies it into the database. */
export interface Wal {
  /** Resolves when everything that any process has committed so far is on disk. */
  sync(): Promise<void>
  /** Called after each commit; checkpoints after some of them. The writer must wait for the promise, if there is one. */
  checkpoint(walBytes: number): Promise<void> | undefined
  /** Copies the whole WAL into the database and empties it. False when another connection still reads an older snapshot. */
  truncate(): Promise<boolean>
  close(): void
}

export interface WalOptions {
  readonly maxBytes: () => number
  readonly disk: DiskSpace
  /** The thread that syncs. Without it, node's thread pool does. */
  readonly syncThread: DiskThread | undefined
  /** The thread that checkpoints. Without it, checkpoints run on this thread. */
  readonly checkpointThread: DiskThread | undefined
  /** Called with the size of a WAL that cannot be checkpointed because another connection reads an older snapshot. */
  readonly onStuck: (walBytes: number) => void
}

/** On a disk that is nearly full the WAL is checkpointed from this size on: copying it needs as much free space again. */
const smallestWalBytes = 2 * 1024 * 1024

export function openWal(
  db: SqliteSql,
  path: string,
  { maxBytes, disk, syncThread, checkpointThread, onStuck }: WalOptions,
): Wal {
  const checkpointHere = prepareCheckpoint(db)
  const checkpointer = createCheckpointer({
    run: (mode) =>
      checkpointThread?.isReady() === true ? checkpointThread.checkpoint(path, mode) : checkpointHere(mode),
    limitBytes: () => Math.min(walLimit(maxBytes()), Math.max(smallestWalBytes, disk.freeBytes() / 4)),
    walBytes: () => walBytesOf(path),
    onStuck,
    pageBytes: query<{ page_size: number }>(db, 'pragma page_size').get()?.page_size ?? 4_096,
  })
  const walSync = openWalSync(path, syncThread)
  if (walSync !== undefined) db.exec('pragma synchronous = normal')

  return {
    sync: async () => walSync?.sync(),
    checkpoint: (walBytes) => checkpointer.afterCommit(walBytes),
    truncate: () => checkpointer.truncate(),
    close() {
      checkpointer.close()
      walSync?.close()
    },
  }
}
