import type { Clock } from '../../../lib/clock.ts'
import { doubtLimitMs, judgedTime, type JudgedTime } from '../../../model/judged-time.ts'
import { followsHost, uptimeOf } from './host-time.ts'
import { query, type SqliteSql } from '../sql.ts'

/** Further than this, the machine's clock and the inbox's time disagree. */
const toleranceMs = 10_000
/** Two processes must not be further apart than a lease can bear, if one of them has a clock of its own. */
const saveEveryMs = 1_000
/** How close to a clock a `createInstant` has to be to confirm it. */
const confirmWithinMs = 5 * 60_000

/**
 * The time of an inbox: one for all processes that have the file open, whatever their clocks say. It is kept in the file together with the
 * host's uptime, so that a process that opens the file knows how much time has passed since without asking the clock. The clock counts for
 * the first process after a boot; after that it has to be confirmed by an event's `createInstant`.
 */
export interface InboxTime {
  /** Epoch ms, whole: for leases, retries and everything else that has to be compared between processes. */
  now(): number
  /** Epoch ms: for what must not happen too early, such as pruning. See JudgedTime. */
  judged(): number
  /** Events of a person who is erased now are blanked when their `createInstant` is at most this. Epoch ms. */
  erasedUntil(): number
  /** In the caller's transaction, after another process has committed. */
  refresh(): void
  /** Before a lease is given or extended: while the host slept the other processes' time went on. Looks once a second: 20 us. */
  afterSleep(): void
  /** In the caller's transaction: events with these `createInstant`s came from FusionAuth. */
  saw(createInstants: readonly number[]): void
  /** In the caller's transaction: keeps the time in the file, once a second. */
  note(): void
  /** Always: a small write that changes nothing else. */
  save(): void
  /** Tells of a clock that nothing confirms. */
  warnIfDoubted(): void
}

/** @param warn Called with the milliseconds by which the machine's clock is ahead of the inbox's time; negative when it is behind. */
export function inboxTime(db: SqliteSql, clock: Clock, warn: (aheadMs: number) => void): InboxTime {
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
  const running = (): number => clock.now()

  /** The inbox's time is the clock's plus this. */
  let offset = 0
  let shifts = 0
  let savedAt = -Infinity
  let lookedAt = -Infinity
  let judged: JudgedTime = judgedTime({ at: undefined, doubtMs: 0 }, running)
  /** When the clock agreed with the inbox's time, or an event confirmed the latter. */
  let agreedAt = running()

  function now(): number {
    return Math.round(clock.now() + offset)
  }

  function read(): ReadonlyMap<string, number> {
    return new Map(find.all().map(({ name, value }) => [name, value]))
  }

  function save(): void {
    const { ms, boot } = uptimeOf(clock)
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

  /** While the host sleeps its uptime goes on, and a process's clock stands still. */
  let host: { time: number; uptime: number } | undefined
  /** How long the host slept since this process looks: by so much its clock is behind for good, which is no disagreement. */
  let sleptMs = 0
  function catchUp(uptimeMs: number): void {
    if (host === undefined || !followsHost(clock)) return
    const expected = host.time + uptimeMs - host.uptime
    if (expected <= now() + 1_000) return
    sleptMs += expected - now()
    offset += expected - now()
  }

  /** What the machine's clock says, as far as a process whose clock stood still while the host slept can tell. Epoch ms. */
  function machineNow(): number {
    return Math.round(clock.now() + sleptMs)
  }

  /** Moves the inbox's time, and with it what was written by it: a lease must not run out because a clock was corrected. */
  function shift(byMs: number): void {
    db.prepare(`update fw_deliveries set due = due + ? where state = 'head' and (leased = 1 or ? < 0)`).run(
      byMs,
      byMs,
    )
    moveFailing(byMs)
    db.prepare('update fw_duties set until = until + ?').run(byMs)
    db.prepare('update fw_nodes set seen = seen + ?').run(byMs)
    offset += byMs
    if (host !== undefined) host = { ...host, time: host.time + byMs } // Or what was set back would look like a sleep.
    shifts += 1
    put.run('shifts', shifts)
    save()
  }

  /** Index: fw_held. */
  function moveFailing(byMs: number): void {
    const move = db.prepare(`
      update fw_deliveries set failing = failing + ?, held = held + ? where state = 'head' and held is not null
    `)
    move.run(byMs, byMs)
  }

  function aheadMs(): number {
    return machineNow() - now()
  }

  /** How much time has passed since the file's time was kept, as the host's uptime tells; undefined after a boot. */
  function passedMs(kept: ReadonlyMap<string, number>): number | undefined {
    const { ms, boot } = uptimeOf(clock)
    const before = kept.get('uptime')
    const sameBoot = before !== undefined && kept.get('boot') === boot && ms >= before - 1_000
    return sameBoot ? Math.max(0, ms - before) : undefined
  }

  function open(): void {
    if (passedMs(read()) === undefined) startTime()
    else start()
    warnIfDoubted()
  }

  /** The first process of a file, or of a boot, keeps the time before any other can. */
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
    const kept = read()
    const passed = passedMs(kept)
    const before = kept.get('clock')
    shifts = kept.get('shifts') ?? 0
    if (before !== undefined && passed !== undefined) offset = before + passed - clock.now()
    else if (before !== undefined) afterBoot(before)
    host = { time: now(), uptime: uptimeOf(clock).ms }
    const newest = findNewest.get()?.created
    const judgedBefore = kept.get('judged')
    const at = judgedBefore === undefined ? newest : Math.max(judgedBefore + (passed ?? 0), newest ?? 0)
    judged = judgedTime({ at, doubtMs: kept.get('doubt') ?? 0 }, running)
    judged.at(now()) // Never later than the inbox's time.
  }

  /**
   * No other process can be at work. Nothing says how long the host was off, so its clock counts for what is due; but not for how long
   * something has failed, or a clock that is wrong would give up whatever waits.
   */
  function afterBoot(before: number): void {
    const gapMs = Math.round(clock.now()) - before
    if (Math.abs(gapMs) <= toleranceMs) return
    moveFailing(gapMs)
    if (gapMs > 0) return
    const move = db.prepare(`update fw_deliveries set due = max(?, due + ?) where state = 'head' and due > ?`)
    move.run(now(), gapMs, now())
  }

  function warnIfDoubted(): void {
    const ahead = Math.abs(aheadMs()) > toleranceMs ? aheadMs() : judged.doubted(now())
    if (ahead !== 0) warn(ahead)
  }

  /** A clock that has disagreed for a day without an event that says which is right is believed. */
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
      const kept = read()
      const { ms } = uptimeOf(clock)
      offset = (kept.get('clock') ?? 0) + ms - (kept.get('uptime') ?? ms) - clock.now()
      host = { time: now(), uptime: ms }
    },
    afterSleep() {
      if (clock.now() < lookedAt + saveEveryMs) return
      lookedAt = clock.now()
      catchUp(uptimeOf(clock).ms)
    },
    saw(createInstants) {
      const newest = Math.max(...createInstants)
      if (!(newest > 0)) return
      correct(newest)
      judged.saw(newest, now())
    },
    note() {
      if (clock.now() < savedAt + saveEveryMs) return
      correct(undefined)
      save()
    },
    save,
    warnIfDoubted,
  }
}
