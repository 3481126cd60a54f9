import { type Clock, systemClock } from '../../lib/clock.ts'
import type { Engine } from '../../model/engine.ts'
import { runAtomic } from './write/run-atomic.ts'
import { isTemporary } from './errors.ts'
import { createSessions } from './write/sessions.ts'
import type { SqliteSql, Sync } from './sql.ts'
import { createTending } from './tend/tending.ts'
import { createWarnings } from './storage/warnings.ts'
import { createWatchers } from './watchers.ts'
import { createWriter } from './write/writer.ts'

/** The options of `sqlite`. */
export interface SqliteOptions {
  /** Where the inbox reads its time, for tests. Default: the machine's clock. */
  readonly clock?: Clock
  /** Accepts a file system that loses its files (memory, a container's layer) or a network file system. Default: false, and opening throws. */
  readonly allowVolatile?: boolean
}

/**
 * Committed but not synced. Only a power loss can undo it; the delivery is then attempted once more, as after the crash of its worker. A sync
 * for each would limit a lane to a few hundred deliveries a second.
 */
const notDurable = { durable: false } as const

/**
 * An inbox in one SQLite file, for the processes of one host. An event is acknowledged when it is on disk: its write-ahead log is synced without
 * blocking the event loop. A settlement is on disk within a second, so after a power loss, and only then, a delivery that has just
 * succeeded may be handled again.
 *
 * Atomic handlers get the database as `sql`, inside the transaction that settles their delivery. They must be synchronous, and keep their
 * tables in the same file.
 *
 * The file is opened when the webhook starts or first receives. Opening fails with FW_DISK_NOT_DURABLE, FW_INBOX_LOCKED, FW_INBOX_NEWER or
 * FW_INBOX_MOVED.
 *
 * @param file A path; a new file is readable and writable by its owner alone (0600). Or a handle of `node:sqlite` or better-sqlite3 that nothing
 *   else uses.
 * @param options The clock, and whether a file system that loses its files is accepted.
 *
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: sqlite('inbox.db') })
 */
export function sqlite(
  file: string | SqliteSql,
  { clock = systemClock, allowVolatile = false }: SqliteOptions = {},
): Engine<SqliteSql, Sync> {
  let maxBytes = Infinity
  let reportPressure = (): void => {}
  const warnings = createWarnings(typeof file === 'string' ? file : 'the inbox', () => clock.now())
  const inbox = createSessions(file, clock, {
    allowVolatile,
    maxBytes: () => maxBytes,
    onStuckWal: (bytes) => warnings.stuckWal(bytes),
    onFullDisk: (freeBytes) => warnings.fullDisk(freeBytes),
    onDoubtedClock: (aheadMs) => warnings.doubtedClock(aheadMs),
  })
  /** The time that all processes of this file share. */
  const now = (): number => inbox.current()?.clock.now() ?? Math.round(clock.now())
  const jobs = createWriter(inbox, () => clock.now()) // Not the shared time, which may be set back.
  const watchers = createWatchers({
    walPath() {
      const path = inbox.current()?.path
      return path === undefined || path === '' ? undefined : `${path}-wal`
    },
    changed: () => inbox.current()?.changed() ?? false,
  })
  const tend = createTending({
    sessions: inbox,
    writer: jobs,
    isPath: typeof file === 'string',
    now,
    wake: () => watchers.wake(),
    limit(bytes, pressed) {
      maxBytes = bytes
      reportPressure = pressed
    },
  })

  return {
    async open() {
      await inbox.use(() => {})
    },

    isTemporary,

    report: (log) => warnings.report(log),

    observe: (observer) => jobs.observe(observer),

    async subscribe(subscriptions) {
      await jobs.write((session) => session.subscribe(subscriptions))
      inbox.remember(subscriptions)
    },

    async append(arrivals) {
      const answers = await jobs.write((session, careful) => session.append(arrivals, careful, now()), {
        mayMeetPoison: true,
      })
      if (answers.includes('stored')) watchers.wake()
      if (answers.includes('full') || inbox.current()?.isPressed() === true) reportPressure()
      return answers
    },

    async known(copies) {
      const known = await inbox.use((session) => copies.map(session.known))
      // A commit of a moment ago, here or in another process, may not be on disk yet. An empty durable write waits for it.
      if (known.includes(true)) await jobs.write(() => {})
      return known
    },

    async hasRoom(type) {
      const has = await inbox.use((session) => session.hasRoom(type))
      if (!has) reportPressure()
      return has
    },

    probe: (bytes = 0) =>
      jobs.write((session) => {
        session.clock.save()
        session.probeDiskSpace(bytes)
      }),

    claim(wants, leaseMs, suspectsBeside = 0) {
      return jobs.write((session) => {
        session.clock.catchUpAfterSleep()
        return session.claim(wants, leaseMs, now(), suspectsBeside)
      }, notDurable)
    },

    renew(leases, leaseMs) {
      return jobs.write((session) => {
        session.clock.catchUpAfterSleep()
        return leases.map((lease) => session.renew(lease, Math.ceil(now() + leaseMs)))
      }, notDurable)
    },

    async release(leases) {
      await jobs.write((session) => {
        for (const lease of leases) session.release(lease, now())
      }, notDurable)
      watchers.wake()
    },

    async settle(settlements) {
      const settled = await jobs.write((session) => {
        const at = now()
        return settlements.map(({ lease, outcome }) => session.settle(lease, outcome, at))
      }, notDurable)
      watchers.wake()
      return settled
    },

    async atomic(lease, handle) {
      const settled = await jobs.write(
        (session) => {
          // Settles first, because the handler must not run if the lease is lost.
          const answer = session.settle(lease, { kind: 'succeeded' }, now())
          if (answer === 'settled') runAtomic(session.db, handle)
          return answer
        },
        { mayThrow: true },
      )
      watchers.wake()
      return settled
    },

    watch(wake) {
      const watching = watchers.add(wake)
      // An error of the file is reported by the next call that needs the file.
      void inbox.use(() => watchers.listen()).catch(() => {})
      return watching
    },

    get: (key) => inbox.use((session) => session.get(key)),

    stats: () => inbox.use((session) => session.stats()),

    tend,

    async [Symbol.asyncDispose]() {
      await jobs.idle()
      await tend.close()
      watchers.close()
      await inbox.close()
    },
  }
}
