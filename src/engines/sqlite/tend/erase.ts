import type { Person } from '../../../model/person.ts'
import { refusalErased } from '../../../model/kept.ts'
import { prepareLoadSetAside } from './load-set-aside.ts'
import { bucketOf } from '../bucket-of.ts'
import { prepareDeleteSubjects } from '../delete-subjects.ts'
import { prepareDeleteFailing } from './delete-failing.ts'
import { preparePromote } from '../lanes/promote.ts'
import { query, type SqliteSql } from '../sql.ts'
import { subjectHash } from '../subject-hash.ts'

/**
 * Deletes these events except for their keys, inside the caller's transaction: bodies, failures, subjects. Deliveries that have not ended
 * end as `erased`: their leases are lost, and the next delivery of the lane becomes the head.
 */
export function prepareErase(
  db: SqliteSql,
): (person: Person, seqs: readonly number[], now: number) => Erasure {
  const blank = prepareBlank(db)
  const findWaiting = query<{ handler: number; lane: string | null; state: string }>(
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
  // Dead letters end as well, because a replay would have no body to handle.
  const deleteDetails = db.prepare(`
    update fw_deliveries set failures = null, lane = null, state = 'succeeded', reason = coalesce(reason, 'erased')
    where seq = ?
  `)
  const promote = preparePromote(db)
  const deleteFailing = prepareDeleteFailing(db)
  const deleteSubjects = prepareDeleteSubjects(db)

  return (person, seqs, now) => {
    const erased: number[] = []
    let deliveries = 0
    for (const seq of seqs) {
      if (!blank(person, seq)) continue
      erased.push(seq)
      for (const { handler, lane, state } of findWaiting.all(seq)) {
        end.run(seq, handler)
        deliveries++
        if (state === 'head' && lane !== null) promote(handler, lane, now)
      }
      deleteFailing(seq)
      deleteDetails.run(seq)
    }
    deleteSubjects(erased)
    return { events: erased.length, deliveries }
  }
}

export interface Erasure {
  readonly events: number
  /** Those that had not ended. */
  readonly deliveries: number
}

/**
 * Only if the event names the person: another event may have taken its seq since it was found. A refused event stays refused, so that a resend
 * asks the gate again, but without the gate's reason. Indexes: primary keys (seq), (bucket, subject, seq).
 */
function prepareBlank(db: SqliteSql): (person: Person, seq: number) => boolean {
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

/** Deletes events that were set aside, if they name the person. Index: primary key (seq). */
export function prepareEraseSetAside(db: SqliteSql): (person: Person, seqs: readonly number[]) => number {
  const read = prepareLoadSetAside(db)
  const remove = db.prepare('delete from fw_aside where seq = ?')
  return ({ userId, tenantId }, seqs) => {
    const names = (seq: number): boolean => {
      const kept = read(seq, ['conflict', 'stale', 'quarantined'], userId, false)
      return kept !== undefined && (tenantId === undefined || kept.key.tenantId === tenantId)
    }
    return seqs.filter((seq) => names(seq) && remove.run(seq).changes !== 0).length
  }
}
