import type { SqliteSql } from '../sql.ts'

/** Moves the times in the tables when the shared clock is corrected, in the caller's transaction. */
export interface ShiftTimes {
  /**
   * The clock is moved by `byMs`. All times move with it, or a lease would expire because a clock was corrected. Due times of retries move
   * only back: moved ahead with the clock they would wait longer than asked.
   */
  readonly shiftAll: (byMs: number) => void
  /** Moves only how long a delivery has failed and how long its lane has been held. Index: fw_held. */
  readonly shiftFailing: (byMs: number) => void
  /** The host restarted with a clock that is behind by `-gapMs`: later due times move back with it, but not before `now`. */
  readonly shiftDueAfterBoot: (now: number, gapMs: number) => void
}

export function prepareShiftTimes(db: SqliteSql): ShiftTimes {
  function shiftFailing(byMs: number): void {
    db.prepare(
      `update fw_deliveries set failing = failing + ?, held = held + ? where state = 'head' and held is not null`,
    ).run(byMs, byMs)
  }

  return {
    shiftAll(byMs) {
      db.prepare(`update fw_deliveries set due = due + ? where state = 'head' and (leased = 1 or ? < 0)`).run(
        byMs,
        byMs,
      )
      shiftFailing(byMs)
      db.prepare('update fw_duties set until = until + ?').run(byMs)
      db.prepare('update fw_nodes set seen = seen + ?').run(byMs)
    },
    shiftFailing,
    shiftDueAfterBoot(now, gapMs) {
      db.prepare(`update fw_deliveries set due = max(?, due + ?) where state = 'head' and due > ?`).run(
        now,
        gapMs,
        now,
      )
    },
  }
}
