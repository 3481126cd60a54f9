import { query, type SqliteSql } from '../sql.ts'

/**
 * Deletes the failing times of an event's lanes that have no head, because a lane is named after a user. Only older versions write them.
 * Indexes: primary keys (seq, handler), (handler, lane), fw_heads.
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
