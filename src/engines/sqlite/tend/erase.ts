import type { Person } from '../../../model/person.ts'
import { refusalErased } from '../../../model/kept.ts'
import { readingAside } from './aside.ts'
import { bucketOf } from '../bucket.ts'
import { promoting } from '../lanes/promote.ts'
import { query, type SqliteSql } from '../sql.ts'
import { subjectHash } from '../subject.ts'

/**
 * Takes away all of these events but their keys, inside the caller's transaction: bodies, errors, whose they are. What had not ended ends
 * as `erased`; whoever leased it has lost it, and its lane goes on. Gives how many had not ended.
 */
export function erasing(db: SqliteSql): (person: Person, seqs: readonly number[], now: number) => Erasure {
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
  const deleteFailing = prepareDeleteFailing(db)
  const forgetSubjects = subjectsForgetting(db)

  return (person, seqs, now) => {
    const erased: number[] = []
    let deliveries = 0
    for (const seq of seqs) {
      if (!blank(person, seq)) continue
      erased.push(seq)
      for (const { handler, lane, state } of ending.all(seq)) {
        end.run(seq, handler)
        deliveries++
        if (state === 'head' && lane !== null) promote(handler, lane, now)
      }
      deleteFailing(seq)
      forget.run(seq)
    }
    forgetSubjects(erased)
    return { events: erased.length, deliveries }
  }
}

export interface Erasure {
  readonly events: number
  readonly deliveries: number
}

/**
 * Only while the event names the person: its place may have gone to another since it was found. A refused event stays refused, without the
 * gate's words: a resend asks the gate again. Indexes: primary keys (seq), (bucket, subject, seq).
 */
function blanking(db: SqliteSql): (person: Person, seq: number) => boolean {
  const blank = db.prepare(`
    update fw_events
    set body = null, gone = 'erased', refused = iif(refused is null, null, '${refusalErased}'), lane = null, trace = null
    where seq = :seq and body is not null and (:tenant is null or tenant = :tenant)
      and exists (select 1 from fw_subjects where bucket = :bucket and subject = :subject and seq = :seq)
  `)
  return ({ userId, tenantId }, seq) => {
    const given = { seq, bucket: bucketOf(seq), subject: subjectHash(userId), tenant: tenantId ?? null }
    return blank.run(given).changes !== 0
  }
}

/**
 * Deletes the failing times of an event's lanes, where nothing waits: a lane is named after a user. Only older versions write them. Indexes:
 * primary keys (seq, handler), (handler, lane), fw_heads.
 */
export function prepareDeleteFailing(db: SqliteSql): (seq: number) => void {
  const lanes = query<{ handler: number; lane: string | number }>(
    db,
    'select handler, coalesce(lane, seq) as lane from fw_deliveries where seq = ?',
  )
  const deleteFailing = db.prepare(`
    delete from fw_failing
    where handler = :handler and lane = :lane and not exists (
      select 1 from fw_deliveries d indexed by fw_heads
      where d.handler = :handler and d.lane = :lane and d.state = 'head'
    )
  `)
  return (seq) => {
    for (const { handler, lane } of lanes.all(seq)) deleteFailing.run({ handler, lane })
  }
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

/** What was set aside goes whole, while it names the person. Index: primary key (seq). */
export function erasingAsides(db: SqliteSql): (person: Person, seqs: readonly number[]) => number {
  const read = readingAside(db)
  const remove = db.prepare('delete from fw_aside where seq = ?')
  return ({ userId, tenantId }, seqs) => {
    const names = (seq: number): boolean => {
      const kept = read(seq, ['conflict', 'stale', 'quarantined'], userId, false)
      return kept !== undefined && (tenantId === undefined || kept.key.tenantId === tenantId)
    }
    return seqs.filter((seq) => names(seq) && remove.run(seq).changes !== 0).length
  }
}
