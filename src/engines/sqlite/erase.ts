import { bucketOf } from './bucket.ts'
import { promoting } from './promote.ts'
import { query, type SqliteSql } from './sql.ts'

/**
 * Takes away all of these events but their keys, inside the caller's transaction: bodies, errors, whose they are. What had not ended ends
 * as `erased`; whoever leased it has lost it, and its lane goes on. Gives how many had not ended.
 */
export function erasing(db: SqliteSql): (seqs: readonly number[], now: number) => Erasure {
  const blank = blanking(db)
  const ending = query<{ handler: number; lane: string | null; state: string }>(
    db,
    `
    select handler, lane, state from fw_deliveries
    where seq = ? and state in ('intake', 'parked', 'head')
    `,
  )
  const end = db.prepare(`
    update fw_deliveries set state = 'succeeded', reason = 'erased', due = null, leased = 0
    where seq = ? and handler = ? and state in ('intake', 'parked', 'head')
  `)
  // A dead letter is over, too: nothing is left that a replay could run.
  const forget = db.prepare(`
    update fw_deliveries set failures = null, lane = null, state = 'succeeded', reason = coalesce(reason, 'erased')
    where seq = ?
  `)
  const promote = promoting(db)
  const unfail = unfailing(db)
  const forgetSubjects = subjectsForgetting(db)

  return (seqs, now) => {
    let events = 0
    let deliveries = 0
    for (const seq of seqs) {
      if (!blank(seq)) continue
      events++
      for (const { handler, lane, state } of ending.all(seq)) {
        end.run(seq, handler)
        deliveries++
        if (state !== 'head') continue
        if (lane !== null) promote(handler, lane, now)
        unfail(handler, lane ?? seq)
      }
      forget.run(seq)
    }
    forgetSubjects(seqs)
    return { events, deliveries }
  }
}

export interface Erasure {
  readonly events: number
  readonly deliveries: number
}

/** Index: primary key (seq). */
function blanking(db: SqliteSql): (seq: number) => boolean {
  const blank = db.prepare(`
    update fw_events set body = null, gone = 'erased', refused = null, lane = null, trace = null
    where seq = ? and body is not null
  `)
  return (seq) => blank.run(seq).changes !== 0
}

/** What no longer has a head does not fail. Indexes: primary key (handler, lane) of what fails, fw_heads. */
function unfailing(db: SqliteSql): (handler: number, lane: string | number) => void {
  const unfail = db.prepare(`
    delete from fw_failing
    where handler = :handler and lane = :lane and not exists (
      select 1 from fw_deliveries d indexed by fw_heads
      where d.handler = :handler and d.lane = :lane and d.state = 'head'
    )
  `)
  return (handler, lane) => void unfail.run({ handler, lane })
}

/** Reads a bucket of the index for all of its events together. Index: primary key (bucket, subject, seq). */
export function subjectsForgetting(db: SqliteSql): (seqs: readonly number[]) => void {
  const forget = db.prepare(
    'delete from fw_subjects where bucket = ? and seq in (select value from json_each(?) gone)',
  )
  return (seqs) => {
    for (const [bucket, of] of Map.groupBy(seqs, bucketOf)) forget.run(bucket, JSON.stringify(of))
  }
}

/** What was set aside goes whole. Index: primary key (seq). */
export function erasingAsides(db: SqliteSql): (seqs: readonly number[]) => number {
  const remove = db.prepare('delete from fw_aside where seq = ?')
  return (seqs) => seqs.filter((seq) => remove.run(seq).changes !== 0).length
}
