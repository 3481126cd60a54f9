import type { SqliteSql } from '../sql.ts'

/**
 * Makes the first parked delivery of a lane its head, due now, in the transaction that ended the previous head. Index: fw_parked.
 *
 * `held`: since when failing deliveries hold the lane, epoch ms. Null when they do not.
 */
export function preparePromote(
  db: SqliteSql,
): (handler: number, lane: string, now: number, held?: number | null) => void {
  const promote = db.prepare(`
    update fw_deliveries set state = 'head', due = ?, held = ?
    where handler = ?
      and seq = (
        select seq from fw_deliveries indexed by fw_parked
        where handler = ? and lane = ? and state = 'parked'
        order by seq limit 1
      )
  `)
  return (handler, lane, now, held = null) => void promote.run(now, held, handler, handler, lane)
}
