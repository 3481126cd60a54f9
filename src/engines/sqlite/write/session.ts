import type { Clock } from '../../../lib/clock.ts'
import type { Subscription } from '../../../model/subscription.ts'
import { type Append, prepareAppend } from '../append.ts'
import { prepareClaim } from '../claim.ts'
import { prepareCountStats } from '../read/count-stats.ts'
import { createInboxReader, type InboxReader } from '../read/inbox-reader.ts'
import { prepareFindKnown, prepareGetEvent } from '../read/load-event.ts'
import { createRegistry } from '../registry.ts'
import { migrate } from '../schema.ts'
import { prepareRelease, prepareRenew, prepareSettle } from '../settle.ts'
import { query, type SqliteSql } from '../sql.ts'
import { prepareCheckInPlace, walBytesOf } from '../storage/check-in-place.ts'
import { configureConnection } from '../storage/configure-connection.ts'
import { createDiskSpace } from '../storage/disk-space.ts'
import type { DiskThread } from '../storage/disk-thread.ts'
import { forgetStatistics } from '../storage/forget-statistics.ts'
import { type OpenFile, openFile } from '../storage/open-file.ts'
import { prepareProbeDiskSpace } from '../storage/probe-disk-space.ts'
import { createSharedClock, type SharedClock } from '../storage/shared-clock.ts'
import { createSizeLimit } from '../storage/size-limit.ts'
import { openWal, type WalOptions } from '../storage/wal.ts'
import { createErasedPeople } from '../tend/erased-people.ts'
import { prepareTendingWrites, type TendingWrites } from '../tend/tending-writes.ts'
import { prepareRunInSavepoint } from './run-in-savepoint.ts'

/** One connection with its prepared statements, from open to close. Synchronous except for what waits for the disk. */
export interface Session {
  readonly db: SqliteSql
  readonly path: string

  /** Takes the write lock; throws SQLITE_BUSY when another process holds it. */
  begin(): void
  /** When it returns, other connections see the commit, and only a power loss can undo it. */
  commit(): void
  rollback(): void
  /** Resolves when everything that any process has committed so far is on disk. */
  sync(): Promise<void>
  /** Called after a commit and its answers. The caller must not write until the promise, if there is one, has resolved. */
  checkpoint(): Promise<void> | undefined
  /** Outside of a transaction: copies the WAL into the database and empties it. False when another connection reads an older snapshot. */
  truncateWal(): Promise<boolean>
  close(): void
  /** Whether another connection has committed since the last call. */
  changed(): boolean

  // Inside a transaction.
  readonly clock: SharedClock
  readonly runInSavepoint: ReturnType<typeof prepareRunInSavepoint>
  readonly subscribe: (subscriptions: readonly Subscription[]) => void
  readonly isSubscribed: (handler: string) => boolean
  readonly append: Append
  readonly claim: ReturnType<typeof prepareClaim>
  readonly settle: ReturnType<typeof prepareSettle>
  readonly renew: ReturnType<typeof prepareRenew>
  readonly release: ReturnType<typeof prepareRelease>
  readonly probeDiskSpace: ReturnType<typeof prepareProbeDiskSpace>
  /** Prepared at first use. */
  readonly tend: TendingWrites

  // Inside a transaction or outside.
  /** Whether an event of this type would be kept now. */
  readonly hasRoom: (type: string) => boolean
  /** Whether the file was past the pressure limit of `maxBytes` when the last transaction began. */
  readonly isPressed: () => boolean
  readonly known: ReturnType<typeof prepareFindKnown>
  readonly get: ReturnType<typeof prepareGetEvent>
  readonly stats: ReturnType<typeof prepareCountStats>
  /** Prepared at first use. */
  readonly reader: () => InboxReader
}

export interface SessionOptions {
  readonly allowVolatile: boolean
  readonly maxBytes: () => number
  /**
   * Starts the thread that syncs and checkpoints off the event loop. Where it gives none, node's thread pool syncs, and checkpoints run on this
   * thread. Not called for a database in memory, which has nothing to sync.
   */
  readonly startThread: () => DiskThread | undefined
  /** Called with the size of a WAL that cannot be checkpointed because another connection reads an older snapshot. */
  readonly onStuckWal: (walBytes: number) => void
  /** Called with the free bytes of the file system when they are too few to keep an event. */
  readonly onFullDisk: (freeBytes: number) => void
  /** Called with the ms by which the machine's clock is ahead of everything that could confirm it; below 0 when it is behind. */
  readonly onDoubtedClock: (aheadMs: number) => void
}

export function openSession(
  file: string | SqliteSql,
  clock: Clock,
  subscriptions: readonly Subscription[],
  options: SessionOptions,
): Session {
  const opened = openFile(file, options.allowVolatile)
  // Not for a given handle, which may belong to another library: closing a second connection in this process would drop its locks.
  const syncThread = opened.path === '' ? undefined : options.startThread()
  const checkpointThread = typeof file === 'string' ? syncThread : undefined
  let close = (): void => opened.close()
  try {
    configureConnection(opened.db, checkpointThread !== undefined)
    migrate(opened.db, opened.path)
    forgetStatistics(opened.db)
    checkpointThread?.open(opened.path)
    const session = prepareSession(opened, clock, options, { syncThread, checkpointThread })
    close = () => session.close()
    if (subscriptions.length > 0) restoreSubscriptions(session, subscriptions)
    return session
  } catch (error) {
    close()
    throw error
  }
}

/** Writes only those that are missing: a process with newer subscriptions may have replaced the others. */
function restoreSubscriptions(session: Session, subscriptions: readonly Subscription[]): void {
  session.begin()
  session.subscribe(subscriptions.filter(({ handler }) => !session.isSubscribed(handler)))
  session.commit()
}

function prepareSession(
  file: OpenFile,
  machineClock: Clock,
  { maxBytes, onStuckWal, onDoubtedClock, onFullDisk }: SessionOptions,
  threads: Pick<WalOptions, 'syncThread' | 'checkpointThread'>,
): Session {
  const { db, path } = file
  const begin = db.prepare('begin immediate')
  const commit = db.prepare('commit')
  const rollback = db.prepare('rollback')
  const dataVersion = query<{ data_version: number }>(db, 'pragma data_version')
  let version = dataVersion.get()?.data_version
  const checkInPlace = prepareCheckInPlace(path)
  let walBytes = walBytesOf(path)
  const registry = createRegistry(db)
  const erasedPeople = createErasedPeople(db)
  const disk = createDiskSpace(path, onFullDisk)
  const sizeLimit = createSizeLimit(db, { maxBytes, walBytes: () => walBytes, disk })
  const clock = createSharedClock(db, machineClock, onDoubtedClock)
  const append = prepareAppend(db, registry, erasedPeople, sizeLimit.hasRoom, clock)
  const countStats = prepareCountStats(db, registry)
  let tend: TendingWrites | undefined
  let reader: InboxReader | undefined

  /** SQLite reports a commit of another process once, to the first caller: the registry. It passes the news on to all others. */
  function refresh(): void {
    if (!registry.refresh()) return
    erasedPeople.refresh()
    clock.refresh()
  }

  // Last, because it opens a file, which would stay open if a later step threw.
  const wal = openWal(db, path, {
    maxBytes,
    disk,
    ...threads,
    onStuck: onStuckWal,
  })

  return {
    db,
    path,
    begin() {
      begin.run()
      refresh()
      sizeLimit.refresh()
    },
    commit() {
      commit.run()
      walBytes = checkInPlace()
    },
    rollback() {
      rollback.run()
      clock.refresh() // The rollback may have undone a correction of the clock.
    },
    sync: () => wal.sync(),
    checkpoint: () => wal.checkpoint(walBytes),
    truncateWal: () => wal.truncate(),
    close() {
      try {
        db.exec('rollback')
      } catch {
        // No transaction was open, or the error that closes this session has rolled it back.
      }
      wal.close()
      file.close()
    },
    changed() {
      const current = dataVersion.get()?.data_version
      if (current === version) return false
      version = current
      return true
    },

    clock,
    runInSavepoint: prepareRunInSavepoint(db),
    subscribe: (subscriptions) => registry.subscribe(subscriptions),
    isSubscribed: (handler) => registry.idOf(handler) !== undefined,
    append,
    claim: prepareClaim(db, registry),
    settle: prepareSettle(db, registry),
    renew: prepareRenew(db, registry),
    release: prepareRelease(db, registry),
    probeDiskSpace: prepareProbeDiskSpace(db),
    get tend() {
      return (tend ??= prepareTendingWrites(db, registry, erasedPeople, append))
    },

    hasRoom(type) {
      sizeLimit.refresh()
      return sizeLimit.hasRoom(type)
    },
    isPressed: sizeLimit.isPressed,
    known: prepareFindKnown(db),
    get: prepareGetEvent(db),
    stats() {
      refresh()
      return countStats()
    },
    reader: () => (reader ??= createInboxReader(db)),
  }
}
