import type { Clock } from '../../../lib/clock.ts'
import type { Claimed } from '../../../model/claimed.ts'
import type { Subscription } from '../../../model/subscription.ts'
import type { Appended, SuspectsBeside, Want } from '../../../model/engine.ts'
import type { Person } from '../../../model/person.ts'
import type { Arrival, Copy } from '../../../model/arrival.ts'
import type { EventKey } from '../../../model/event-key.ts'
import type { Filter } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Receipt } from '../../../model/receipt.ts'
import type { Stats } from '../../../model/stats.ts'
import { type Abandonment, abandonment } from '../lanes/abandon.ts'
import { appending } from '../append.ts'
import { checkpointer } from '../storage/checkpoint.ts'
import { claiming } from '../claim.ts'
import type { Checkpointed, DiskThread } from '../storage/disk-thread.ts'
import { type Erasure, erasing, erasingAsides } from '../tend/erase.ts'
import { erased, type Erased } from '../tend/erased.ts'
import { diskSpace } from '../storage/disk-space.ts'
import { holdInPlace, logBytesOf, type OpenFile, openFile } from '../storage/file.ts'
import type { Placed } from '../tend/find.ts'
import { logLimit } from '../storage/log-limit.ts'
import { logSync } from '../storage/log-sync.ts'
import { inboxTime, type InboxTime } from '../storage/inbox-time.ts'
import { type Nodes, nodes } from '../nodes.ts'
import { type Prunable, pruning } from '../tend/prune.ts'
import { counting, getting, knowing } from '../read/read.ts'
import { type Reads, reads } from '../read/reads.ts'
import { recording } from '../tend/receipts.ts'
import { type Registry, registry } from '../registry.ts'
import { replaying } from '../tend/replay.ts'
import { room } from '../storage/room.ts'
import { type Attempt, attempting } from './savepoint.ts'
import { migrate } from '../schema.ts'
import { type Leases, leasing } from '../settle.ts'
import { query, type SqliteSql } from '../sql.ts'

/** One connection with its statements, from open to close. Synchronous but for what waits for the disk: `synced`, `checkpoint`, `emptyLog`. */
export interface Session {
  readonly db: SqliteSql
  readonly path: string

  /** Takes the write lock; throws SQLITE_BUSY when another process has it. */
  begin(): void
  /** Seen by everybody when it returns, and safe from everything but a power cut. */
  commit(): void
  rollback(): void
  /** Resolves when all that any process has committed so far is on disk. */
  synced(): Promise<void>
  /** After a commit, and after its answers are given. Nothing is written until the promise, if there is one, has resolved. */
  checkpoint(): Promise<void> | undefined
  close(): void
  /** Whether another connection has committed since this was last asked. */
  changed(): boolean
  /** Whether the file was past the pressure limit of `maxBytes` when the last transaction began. */
  isPressed(): boolean

  // Inside begin and commit.
  readonly attempt: <T>(run: () => T) => Attempt<T>
  readonly subscribe: (subscriptions: readonly Subscription[]) => void
  readonly isSubscribed: (handler: string) => boolean
  readonly append: Append
  /** Writes so many bytes and takes them away in the same transaction; throws when there is no room for them. */
  readonly proveRoom: (bytes: number) => void
  readonly claim: (
    wants: readonly Want[],
    leaseMs: number,
    now: number,
    suspectsBeside: SuspectsBeside,
  ) => Claimed
  readonly leases: Leases
  readonly time: InboxTime
  /** Prepared when it is first asked for. */
  readonly tend: SessionTending

  // Anywhere.
  /** Whether an event of this type would be kept now. */
  readonly hasRoom: (type: string) => boolean
  readonly known: (copy: Copy) => boolean
  readonly get: (key: EventKey) => Kept | undefined
  readonly stats: () => Stats
  /** Prepared when it is first asked for. */
  readonly reads: () => Reads
  /** Moves the write-ahead log into the database; whether nothing is left in it. Outside of a transaction. */
  readonly emptyLog: () => Promise<boolean>
}

type Append = (arrivals: readonly Arrival[], careful: boolean, now: number) => readonly Appended[]

/** What tending changes. */
export interface SessionTending {
  readonly replay: (found: readonly Placed[], where: Filter, now: number) => number
  readonly prune: (prunable: Prunable) => number
  readonly people: Erased
  readonly erase: (person: Person, seqs: readonly number[], now: number) => Erasure
  readonly eraseAsides: (person: Person, seqs: readonly number[]) => number
  readonly record: (receipts: readonly Receipt[]) => void
  readonly nodes: Nodes
  readonly abandonment: Abandonment
}

export interface SessionOptions {
  readonly allowVolatile: boolean
  readonly maxBytes: () => number
  /** Syncs and checkpoints off the event loop. Without it, node's thread pool syncs, and checkpoints run on this thread. */
  readonly thread: DiskThread | undefined
  /** The write-ahead log, of so many bytes, cannot be moved because another connection reads an older state of the database. */
  readonly onStuckLog: (logBytes: number) => void
  /** An event is refused because the file system has only so many bytes left. */
  readonly onFullDisk: (freeBytes: number) => void
  /** The machine's clock is so many ms ahead of what anything else confirms; below 0, behind. */
  readonly onDoubtedClock: (aheadMs: number) => void
}

export function openSession(
  file: string | SqliteSql,
  clock: Clock,
  subscriptions: readonly Subscription[],
  options: SessionOptions,
): Session {
  const opened = openFile(file, options.allowVolatile)
  // A given handle may be another library's: to open and close its file once more in this process would take its locks away.
  const checkpoints = typeof file === 'string' && opened.path !== '' ? options.thread : undefined
  let close = (): void => opened.close()
  try {
    configure(opened.db, checkpoints !== undefined)
    migrate(opened.db, opened.path)
    forgetStatistics(opened.db)
    checkpoints?.open(opened.path)
    const session = prepare(opened, clock, options, checkpoints)
    close = () => session.close()
    if (subscriptions.length > 0) restore(session, subscriptions)
    return session
  } catch (error) {
    close()
    throw error
  }
}

/**
 * What somebody's analyze found in our tables. Every hot statement names its index; but statistics of a time when the inbox held one event
 * make SQLite read all events for each of them.
 */
function forgetStatistics(db: SqliteSql): void {
  const analyzed = db.prepare("select 1 from sqlite_schema where name = 'sqlite_stat1'").get() !== undefined
  if (!analyzed) return
  db.exec("delete from sqlite_stat1 where tbl like 'fw\\_%' escape '\\'")
  db.exec('analyze sqlite_schema') // Reads what is left.
}

/** Only what is not there: a newer process may have replaced the rest since. */
function restore(session: Session, subscriptions: readonly Subscription[]): void {
  session.begin()
  session.subscribe(subscriptions.filter(({ handler }) => !session.isSubscribed(handler)))
  session.commit()
}

/** All that durability and speed hang on, said aloud: a build's defaults, or a handle's, may differ. */
function configure(db: SqliteSql, checkpointsElsewhere: boolean): void {
  // 46 k appends/s and 2.5 KB an event, against 28 k and 4.3 KB with pages of 4 KB. Set before the first write, or it has no effect.
  db.exec('pragma page_size = 16384')
  // A wait for the lock blocks the event loop; the writer waits longer, asynchronously.
  db.exec('pragma busy_timeout = 5')
  db.exec('pragma journal_mode = wal')
  // For what is done at open, and where there is no log; then commits write, and `synced` waits for the disk.
  db.exec('pragma synchronous = full')
  // Nothing erased stays in a free page.
  db.exec('pragma secure_delete = on')
  // A checkpoint waits for the disk: never on this thread where another one can do it. Elsewhere the net under those of checkpoint.ts.
  db.exec(`pragma wal_autocheckpoint = ${checkpointsElsewhere ? 0 : 8_000}`)
  db.exec(`pragma journal_size_limit = ${logLimit(Infinity)}`)
  db.exec('pragma cache_size = -16384')
  // What a savepoint keeps to be undone.
  db.exec('pragma temp_store = memory')
}

function prepare(
  file: OpenFile,
  clock: Clock,
  { maxBytes, thread, onStuckLog, onDoubtedClock, onFullDisk }: SessionOptions,
  checkpoints: DiskThread | undefined,
): Session {
  const { db, path } = file
  const handlers = registry(db)
  const begin = db.prepare('begin immediate')
  const commit = db.prepare('commit')
  const rollback = db.prepare('rollback')
  const dataVersion = query<{ data_version: number }>(db, 'pragma data_version')
  const assertInPlace = holdInPlace(path)
  let version = dataVersion.get()?.data_version
  const stats = counting(db, handlers)
  const people = erased(db)
  const disk = diskSpace(path, onFullDisk)
  let logBytes = path === '' ? 0 : logBytesOf(path)
  const space = room(db, { maxBytes, logBytes: () => logBytes, disk })
  const time = inboxTime(db, clock, onDoubtedClock)
  const append = appending(db, handlers, people, space.has, time)
  const checkpointHere = checkpointingHere(db)
  const logs = checkpointer({
    run: (mode) =>
      checkpoints?.isReady() === true ? checkpoints.checkpoint(path, mode) : checkpointHere(mode),
    limitBytes: () => Math.min(logLimit(maxBytes()), Math.max(smallestLogBytes, disk.freeBytes() / 4)),
    logBytes: () => (path === '' ? 0 : logBytesOf(path)),
    onStuck: onStuckLog,
    pageBytes: query<{ page_size: number }>(db, 'pragma page_size').get()?.page_size ?? 4_096,
  })
  let tend: SessionTending | undefined
  let look: Reads | undefined

  /** SQLite says only once that another process has committed, so the first caller passes it on to all who need to know. */
  function refresh(): void {
    if (!handlers.refresh()) return
    people.refresh()
    time.refresh()
  }

  // Last: it opens a file, which would stay open if something above threw.
  const log = logSync(path, thread)
  if (log !== undefined) db.exec('pragma synchronous = normal')

  return {
    db,
    path,
    begin() {
      begin.run()
      refresh()
      space.refresh()
    },
    commit() {
      commit.run()
      logBytes = assertInPlace()
    },
    rollback() {
      rollback.run()
      time.refresh() // It may have been moved in what is undone.
    },
    synced: async () => log?.sync(),
    checkpoint: () => logs.afterCommit(logBytes),
    close() {
      logs.close()
      try {
        db.exec('rollback')
      } catch {
        // No transaction was open, or the error that closes this session has undone it.
      }
      log?.close()
      file.close()
    },
    changed() {
      const current = dataVersion.get()?.data_version
      if (current === version) return false
      version = current
      return true
    },
    isPressed: space.isPressed,
    hasRoom(type) {
      space.refresh()
      return space.has(type)
    },
    proveRoom: provingRoom(db),
    attempt: attempting(db),
    subscribe: (subscriptions) => handlers.subscribe(subscriptions),
    isSubscribed: (handler) => handlers.idOf(handler) !== undefined,
    append,
    claim: claiming(db, handlers),
    leases: leasing(db, handlers),
    time,
    get tend() {
      return (tend ??= prepareTending(db, handlers, people, append))
    },
    known: knowing(db),
    get: getting(db),
    stats() {
      refresh()
      return stats()
    },
    reads: () => (look ??= reads(db)),
    emptyLog: () => logs.emptyLog(),
  }
}

/** On a disk that is nearly full, the log is moved early: moving it needs as much room again. */
const smallestLogBytes = 2 * 1024 * 1024

function checkpointingHere(db: SqliteSql): (mode: 'passive' | 'truncate') => Promise<Checkpointed> {
  const modes = {
    passive: query<Checkpointed>(db, 'pragma wal_checkpoint(passive)'),
    truncate: query<Checkpointed>(db, 'pragma wal_checkpoint(truncate)'),
  }
  return async (mode) => modes[mode].get() ?? { busy: 1, log: 0, checkpointed: 0 }
}

/** With `secure_delete` on, the pages of what is deleted are written, too. */
function provingRoom(db: SqliteSql): (bytes: number) => void {
  const insert = db.prepare(
    "insert into fw_aside (kind, hash, body) values ('probe', randomblob(32), zeroblob(?)) returning seq",
  )
  const remove = db.prepare("delete from fw_aside where kind = 'probe' and seq = ?")
  return (bytes) => {
    if (bytes === 0) return
    const { seq } = insert.get(bytes) as { seq: number } // `returning` gives the column.
    remove.run(seq)
  }
}

function prepareTending(db: SqliteSql, handlers: Registry, people: Erased, append: Append): SessionTending {
  return {
    replay: replaying(db, handlers, append),
    prune: pruning(db),
    people,
    erase: erasing(db),
    eraseAsides: erasingAsides(db),
    record: recording(db),
    nodes: nodes(db),
    abandonment: abandonment(db, handlers),
  }
}
