import { asidesOf, type Filter, replayOf } from '../../../model/filter.ts'
import type { Append } from '../append.ts'
import { query, type SqliteSql } from '../sql.ts'
import { applicationsIn } from './applications-in.ts'
import type { FoundEvent } from './find.ts'
import { idOfHash, prepareLoadSetAside, subjectsOf } from './load-set-aside.ts'

/**
 * Appends a set-aside event as a new one, inside the caller's transaction. Another event has its key, so the hash of its body becomes its id.
 * Returns the number of its deliveries.
 */
export function prepareReplaySetAside(
  db: SqliteSql,
  append: Append,
): (found: FoundEvent, where: Filter, now: number) => number {
  const loadSetAside = prepareLoadSetAside(db)
  const take = prepareTakeSetAside(db)
  const countDeliveries = query<{ count: number }>(
    db,
    'select count(*) as count from fw_deliveries d where seq = (select seq from fw_events where created = ? and tenant = ? and id = ?)',
  )

  return ({ seq }, where, now) => {
    // Loaded again: another event may have taken this seq since it was found.
    const kept = loadSetAside(seq, asidesOf(where), where.userId, false)
    const row = kept !== undefined && replayOf(kept, where).missing ? take(seq) : undefined
    if (kept === undefined || row === undefined) return 0
    const id = idOfHash(row.hash)
    const { type, receivedAt } = kept
    const { createInstant, tenantId } = kept.key
    append(
      [
        {
          key: { createInstant, tenantId, id },
          type,
          source: 'manual',
          receivedAt,
          hash: row.hash,
          body: row.body,
          ...(row.lane !== null && { lane: row.lane }),
          applicationIds: applicationsIn(row.body),
          subjects: subjectsOf(row),
        },
      ],
      false,
      now,
    )
    return countDeliveries.get(createInstant, tenantId, id)?.count ?? 0
  }
}

interface TakenSetAside {
  readonly hash: Uint8Array
  readonly body: Uint8Array
  readonly lane: string | null
  readonly subjects: string | null
}

/** Index: primary key (seq). */
function prepareTakeSetAside(db: SqliteSql): (seq: number) => TakenSetAside | undefined {
  const take = query<TakenSetAside>(
    db,
    'delete from fw_aside where seq = ? returning hash, body, lane, subjects',
  )
  return (seq) => take.get(seq)
}
