import { type Clock, systemClock } from '../../lib/clock.ts'
import type { Engine } from '../../model/engine.ts'
import { runAtomic } from './write/atomic.ts'
import { isTemporary } from './errors.ts'
import { sessions } from './write/sessions.ts'
import type { SqliteSql, Sync } from './sql.ts'
import { tending } from './tend/tend.ts'
import { warnings } from './storage/warnings.ts'
import { watching } from './watch.ts'
import { writer } from './write/writer.ts'

/** The options of `sqlite`. */
export interface SqliteOptions {
  /** Whose time it is. Default: the machine's. */
  readonly clock?: Clock
  /** Accept a file system that forgets (memory, a container's own layer) or a network one. Default: false, and opening throws. */
  readonly allowVolatile?: boolean
}

/**
 * What a power cut may undo, though nothing less can: the delivery is then attempted once more, as it would be had its worker died just
 * before. A sync for each would hold a lane to a few hundred deliveries a second.
 */
const soon = { durable: false } as const

/**
 * An inbox in one SQLite file, for the processes of one host. Give it a path, or a handle of `node:sqlite` or better-sqlite3 that is then
 * the inbox's alone; a path is made for its owner alone (0600) if nothing is there. An event is acknowledged once it is on disk (the write-ahead log, synced beside the event loop);
 * a settlement follows within a second, so after a power cut, and only then, what was just handled may be handled again.
 *
 * Atomic handlers get the database as `sql`, inside the transaction that settles their delivery; they are plain functions and keep
 * their tables in the same file.
 *
 * Nothing is opened before the webhook starts or receives; opening fails with FW_DISK_NOT_DURABLE, FW_INBOX_LOCKED, FW_INBOX_NEWER or
 * FW_INBOX_MOVED.
 *
 * @example
 * const webhook = new Webhook({ authenticate: apiKey(() => process.env.WEBHOOK_KEY), inbox: sqlite('inbox.db') })
 */
export function sqlite(
  file: string | SqliteSql,
  { clock = systemClock, allowVolatile = false }: SqliteOptions = {},
): Engine<SqliteSql, Sync> {
  let maxBytes = Infinity
  let tellPressed = (): void => {}
  const warned = warnings(typeof file === 'string' ? file : 'the inbox', () => clock.now())
  const inbox = sessions(file, clock, {
    allowVolatile,
    maxBytes: () => maxBytes,
    onStuckLog: (bytes) => warned.stuckLog(bytes),
    onFullDisk: (freeBytes) => warned.fullDisk(freeBytes),
    onDoubtedClock: (aheadMs) => warned.doubtedClock(aheadMs),
  })
  /** The inbox's own time, which all processes of its file share. */
  const now = (): number => inbox.current()?.time.now() ?? Math.round(clock.now())
  const jobs = writer(inbox, () => clock.now()) // Not the inbox's time, which may be set back.
  const watchers = watching({
    log() {
      const path = inbox.current()?.path
      return path === undefined || path === '' ? undefined : `${path}-wal`
    },
    changed: () => inbox.current()?.changed() ?? false,
  })
  const tend = tending({
    sessions: inbox,
    writer: jobs,
    isPath: typeof file === 'string',
    now,
    wake: () => watchers.wake(),
    limit(bytes, pressed) {
      maxBytes = bytes
      tellPressed = pressed
    },
  })

  return {
    async open() {
      await inbox.use(() => {})
    },

    isTemporary,

    report: (log) => warned.report(log),

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
      if (answers.includes('full') || inbox.current()?.isPressed() === true) tellPressed()
      return answers
    },

    async known(copies) {
      const known = await inbox.use((session) => copies.map(session.known))
      // What was committed a moment ago, here or by another process, may not be on disk yet.
      if (known.includes(true)) await jobs.write(() => {})
      return known
    },

    async hasRoom(type) {
      const has = await inbox.use((session) => session.hasRoom(type))
      if (!has) tellPressed()
      return has
    },

    probe: (bytes = 0) =>
      jobs.write((session) => {
        session.time.save()
        session.proveRoom(bytes)
      }),

    claim(wants, leaseMs, suspectsBeside = 0) {
      return jobs.write((session) => {
        session.time.afterSleep()
        return session.claim(wants, leaseMs, now(), suspectsBeside)
      }, soon)
    },

    renew(leases, leaseMs) {
      return jobs.write((session) => {
        session.time.afterSleep()
        return leases.map((lease) => session.leases.renew(lease, Math.ceil(now() + leaseMs)))
      }, soon)
    },

    async release(leases) {
      await jobs.write((session) => {
        for (const lease of leases) session.leases.release(lease, now())
      }, soon)
      watchers.wake()
    },

    async settle(settlements) {
      const settled = await jobs.write(
        (session) => settlements.map(({ lease, outcome }) => session.leases.settle(lease, outcome, now())),
        soon,
      )
      watchers.wake()
      return settled
    },

    async atomic(lease, handle) {
      const settled = await jobs.write(
        (session) => {
          // Settled first: on a lease that is lost nothing may run.
          const answer = session.leases.settle(lease, { kind: 'succeeded' }, now())
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
      // What is wrong with the file is told to whoever needs an answer from it.
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
