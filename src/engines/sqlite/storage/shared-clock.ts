import type { Clock } from '../../../lib/clock.ts'
import { doubtLimitMs, judgedTime, type JudgedTime } from '../../../model/judged-time.ts'
import { followsHostUptime, hostUptime } from './host-uptime.ts'
import { prepareShiftTimes } from './shift-times.ts'
import { query, type SqliteSql } from '../sql.ts'

/** The machine's clock and the shared time disagree when they differ by more than this. */
const toleranceMs = 10_000
/** Far below the duration of a lease, because the times of two processes may differ by this much if one has a clock of its own. */
const saveEveryMs = 1_000
/** A `createInstant` confirms a clock that is at most this far from it. */
const confirmWithinMs = 5 * 60_000

/**
 * One clock for all processes that have the file open. Four times meet in it:
 *
 * - the machine's clock (`Clock`): it may be set wrong, and each process reads it only once, at its start;
 * - the host's uptime (`host-uptime.ts`): it cannot be set, and is the same for all processes of the host;
 * - the shared time (`now`): saved in the file together with the uptime, so that a process that opens the file computes it from the uptime
 *   that has passed, without the machine's clock. That clock is believed by the first process after a boot; later only after an event's
 *   `createInstant`, which is FusionAuth's clock, has confirmed it;
 * - the judged time (`judged`, see JudgedTime): never ahead of what events confirm. It decides what is old.
 */
export interface SharedClock {
  /** Epoch ms, whole: for leases, retries and everything else that processes compare. */
  now(): number
  /** Epoch ms: for what must not happen too early, such as pruning. */
  judged(): number
  /** Epoch ms. Events of a person who is erased now are blanked if their `createInstant` is at most this. */
  erasedUntil(): number
  /** In the caller's transaction, after another process has committed. */
  refresh(): void
  /**
   * Before a lease is given or extended: while the host slept this process's clock stood still. Looks at the uptime (20 us) once a
   * second.
   */
  catchUpAfterSleep(): void
  /** In the caller's transaction: FusionAuth sent events with these `createInstant`s. */
  saw(createInstants: readonly number[]): void
  /** In the caller's transaction: writes the time to the file, at most once a second. */
  saveSometimes(): void
  /** In the caller's transaction: writes the time to the file, and nothing else. */
  save(): void
  /** Warns of a machine's clock that nothing confirms. */
  warnIfUnconfirmed(): void
}

/** @param warn Called with the ms by which the machine's clock is ahead of the shared time; below 0 when it is behind. */
export function createSharedClock(db: SqliteSql, clock: Clock, warn: (aheadMs: number) => void): SharedClock {
  const find = query<{ name: string; value: number }>(
    db,
    `select name, value from fw_meta where name in ('clock', 'uptime', 'boot', 'shifts', 'judged', 'doubt')`,
  )
  const findShifts = query<{ value: number }>(db, `select value from fw_meta where name = 'shifts'`)
  // Index: unique (created, tenant, id), at its right end.
  const findNewest = query<{ created: number }>(
    db,
    `select created from fw_events where source = 'door' and created > 0 order by created desc limit 1`,
  )
  const put = db.prepare('insert or replace into fw_meta (name, value) values (?, ?)')
  const remove = db.prepare('delete from fw_meta where name = ?')
  const { shiftAll, shiftFailing, shiftDueAfterBoot } = prepareShiftTimes(db)
  const running = (): number => clock.now()

  /** The shared time is the machine's clock plus this. */
  let offset = 0
  /** How often any process has corrected the shared time. */
  let shifts = 0
  let savedAt = -Infinity
  let lookedAt = -Infinity
  let judged: JudgedTime = judgedTime({ at: undefined, doubtMs: 0 }, running)
  /** When the machine's clock last agreed with the shared time, or an event last confirmed the shared time. */
  let agreedAt = running()
  /** The shared time at one uptime: from a later uptime follows how long the host has slept. */
  let host: { time: number; uptime: number } | undefined
  /** How long the host has slept while this process ran. This process's clock stays behind by that, which is no disagreement. */
  let sleptMs = 0

  function now(): number {
    return Math.round(clock.now() + offset)
  }

  function read(): ReadonlyMap<string, number> {
    return new Map(find.all().map(({ name, value }) => [name, value]))
  }

  function save(): void {
    const { ms, boot } = hostUptime(clock)
    catchUp(ms)
    put.run('clock', now())
    put.run('uptime', Math.round(ms))
    put.run('boot', boot)
    const { at, doubtMs } = judged.state()
    if (at === undefined) remove.run('judged')
    else put.run('judged', Math.round(at))
    put.run('doubt', Math.round(doubtMs))
    savedAt = clock.now()
    host = { time: now(), uptime: ms }
  }

  /** While the host sleeps, its uptime advances and this process's clock does not. */
  function catchUp(uptimeMs: number): void {
    if (host === undefined || !followsHostUptime(clock)) return
    const expected = host.time + uptimeMs - host.uptime
    if (expected <= now() + 1_000) return
    sleptMs += expected - now()
    offset += expected - now()
  }

  /** The machine's clock, corrected by the time the host slept. Epoch ms. */
  function machineNow(): number {
    return Math.round(clock.now() + sleptMs)
  }

  /** Corrects the shared time, and with it the times in the tables. */
  function shift(byMs: number): void {
    shiftAll(byMs)
    offset += byMs
    if (host !== undefined) host = { ...host, time: host.time + byMs } // Otherwise setting the time back would look like a sleep.
    shifts += 1
    put.run('shifts', shifts)
    save()
  }

  function aheadMs(): number {
    return machineNow() - now()
  }

  /** How much time has passed since the shared time was saved, by the host's uptime; undefined after a boot. */
  function passedMs(saved: ReadonlyMap<string, number>): number | undefined {
    const { ms, boot } = hostUptime(clock)
    const before = saved.get('uptime')
    const sameBoot = before !== undefined && saved.get('boot') === boot && ms >= before - 1_000
    return sameBoot ? Math.max(0, ms - before) : undefined
  }

  function open(): void {
    if (passedMs(read()) === undefined) startTime()
    else start()
    warnIfUnconfirmed()
  }

  /** The first process of a file, or after a boot, saves the time under the write lock, before any other process can. */
  function startTime(): void {
    db.exec('begin immediate')
    try {
      start()
      save()
      db.exec('commit')
    } catch (error) {
      db.exec('rollback')
      throw error
    }
  }

  function start(): void {
    const saved = read()
    const passed = passedMs(saved)
    const before = saved.get('clock')
    shifts = saved.get('shifts') ?? 0
    if (before !== undefined && passed !== undefined) offset = before + passed - clock.now()
    else if (before !== undefined) afterBoot(before)
    host = { time: now(), uptime: hostUptime(clock).ms }
    const newest = findNewest.get()?.created
    const judgedBefore = saved.get('judged')
    const at = judgedBefore === undefined ? newest : Math.max(judgedBefore + (passed ?? 0), newest ?? 0)
    judged = judgedTime({ at, doubtMs: saved.get('doubt') ?? 0 }, running)
    judged.at(now()) // Never later than the shared time.
  }

  /**
   * No other process is at work. It is unknown how long the host was off, so due times follow its clock. How long a delivery has failed
   * does not: a wrong clock would otherwise give up everything that waits.
   */
  function afterBoot(before: number): void {
    const gapMs = Math.round(clock.now()) - before
    if (Math.abs(gapMs) <= toleranceMs) return
    shiftFailing(gapMs)
    if (gapMs < 0) shiftDueAfterBoot(now(), gapMs)
  }

  function warnIfUnconfirmed(): void {
    const ahead = Math.abs(aheadMs()) > toleranceMs ? aheadMs() : judged.doubted(now())
    if (ahead !== 0) warn(ahead)
  }

  /** Believes a machine's clock that an event confirms, or that has disagreed for 24 hours of running time without an event to decide. */
  function correct(newest: number | undefined): void {
    const ahead = aheadMs()
    const confirms = (time: number): boolean =>
      newest !== undefined && Math.abs(newest - time) <= Math.min(confirmWithinMs, Math.abs(ahead) / 2)
    if (Math.abs(ahead) <= toleranceMs || confirms(now())) agreedAt = running()
    else if (confirms(machineNow()) || running() - agreedAt >= doubtLimitMs) shift(ahead)
  }

  open()

  return {
    now,
    judged: () => judged.at(now()),
    erasedUntil: () => now() - judged.doubted(now()),
    refresh() {
      const current = findShifts.get()?.value ?? 0
      if (current === shifts) return
      shifts = current
      const saved = read()
      const { ms } = hostUptime(clock)
      offset = (saved.get('clock') ?? 0) + ms - (saved.get('uptime') ?? ms) - clock.now()
      host = { time: now(), uptime: ms }
    },
    catchUpAfterSleep() {
      if (clock.now() < lookedAt + saveEveryMs) return
      lookedAt = clock.now()
      catchUp(hostUptime(clock).ms)
    },
    saw(createInstants) {
      const newest = Math.max(...createInstants)
      if (!(newest > 0)) return
      correct(newest)
      judged.saw(newest, now())
    },
    saveSometimes() {
      if (clock.now() < savedAt + saveEveryMs) return
      correct(undefined)
      save()
    },
    save,
    warnIfUnconfirmed,
  }
}
