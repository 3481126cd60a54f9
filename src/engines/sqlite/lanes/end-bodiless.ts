import { preparePromote } from './promote.ts'
import type { SqliteSql } from '../sql.ts'

/**
 * Ends a head whose event has no body, inside the caller's transaction, and makes the next delivery of its lane the head. Index: primary key
 * (seq, handler).
 */
export function prepareEndBodiless(
  db: SqliteSql,
): (handler: number, head: { readonly seq: number; readonly lane: string | null }, now: number) => void {
  const end = db.prepare(`
    update fw_deliveries
    set state = 'succeeded', reason = 'gone', due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and state = 'head'
      and not exists (select 1 from fw_events e where e.seq = fw_deliveries.seq and e.body is not null)
  `)
  const promote = preparePromote(db)
  return (handler, { seq, lane }, now) => {
    end.run(seq, handler)
    if (lane !== null) promote(handler, lane, now)
  }
}
