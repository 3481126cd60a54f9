import { query, type SqliteSql } from '../sql.ts'

/**
 * Events with a delivery of this handler that has not ended, at most `limit`. Heads come last: when the caller ends them in this order, no
 * parked delivery is left to become the next head. Indexes: fw_intake, fw_parked, fw_due.
 */
export function prepareFindWaiting(db: SqliteSql): (handler: number, limit: number) => readonly number[] {
  const find = query<{ seq: number }>(
    db,
    `
    select seq from fw_deliveries indexed by fw_intake where handler = :handler and state = 'intake'
    union all
    select seq from fw_deliveries indexed by fw_parked where handler = :handler and state = 'parked'
    union all
    select seq from fw_deliveries indexed by fw_due where handler = :handler and state = 'head'
    limit :limit
    `,
  )
  return (handler, limit) => find.all({ handler, limit }).map(({ seq }) => seq)
}
