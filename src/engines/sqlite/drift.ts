import { query, type SqliteSql } from './sql.ts'

/** A wall clock may be set back while no process runs. Further than this, and due times are moved with it. */
const toleranceMs = 10_000
const saveEveryMs = 60_000

/** Keeps the time in the inbox, inside the caller's transaction. */
export interface KeptTime {
  /** Now and then. */
  note(now: number): void
  /** Always: a small write that changes nothing else. */
  save(now: number): void
}

/**
 * Moves every due time back by as much as the clock went back since the time was last kept: else a retry or a lease written by a clock
 * that ran a year ahead would hold its lane for a year.
 */
export function keepingTime(db: SqliteSql, now: number): KeptTime {
  const find = query<{ value: number }>(db, `select value from fw_meta where name = 'clock'`)
  const update = db.prepare(`insert or replace into fw_meta (name, value) values ('clock', ?)`)
  const before = find.get()?.value
  let savedAt = -Infinity

  function save(at: number): void {
    update.run(at)
    savedAt = at
  }

  if (before !== undefined && before > now + toleranceMs) {
    db.exec('begin immediate')
    moveBack(db, before - now, now)
    save(now)
    db.exec('commit')
  }

  return {
    note(at) {
      if (at >= savedAt + saveEveryMs) save(at)
    },
    save,
  }
}

/** At open only: walks the heads. Index: fw_due. */
function moveBack(db: SqliteSql, backMs: number, now: number): void {
  db.prepare(`update fw_deliveries set due = max(?, due - ?) where state = 'head' and due > ?`).run(
    now,
    backMs,
    now,
  )
  db.prepare('update fw_failing set since = since - ?').run(backMs)
}
