import { query, type SqliteSql } from '../sql.ts'

/** What one claim looks at, so that parking a long lane is shared out among many claims: 5 us each. */
const scanLimit = 512
/** What a claim without room admits, so that new arrivals take their turn by due time while retries keep every claim full. */
const trickle = 16

/**
 * Takes deliveries out of a handler's intake, in order, inside the caller's transaction. One whose lane has a head is parked behind it;
 * another becomes a head, leased until `leasedUntil` while there is room. Gives back the leased ones.
 */
export function admitting(
  db: SqliteSql,
): (handler: number, room: number, now: number, leasedUntil: number) => readonly number[] {
  const intake = scanningIntake(db)
  const findHead = findingHeadOfLane(db)
  const demote = demoting(db)
  const park = parking(db)
  const lead = leading(db)
  const leadLeased = leadingLeased(db)

  /** Whether another delivery of the lane is first. A replayed one goes before a younger head, unless that is leased. */
  function isBehind(handler: number, lane: string, seq: number): boolean {
    const head = findHead(handler, lane)
    return head !== undefined && (head < seq || !demote(handler, head))
  }

  return (handler, room, now, leasedUntil) => {
    const admitted: number[] = []
    const blocked = new Set<string>()
    const wanted = room > 0 ? room : trickle
    let after = 0
    for (let scanned = 0; scanned < scanLimit;) {
      const chunk = Math.max(wanted - admitted.length, trickle)
      const rows = intake(handler, after, chunk)
      for (const { seq, lane } of rows) {
        if (lane !== null && (blocked.has(lane) || isBehind(handler, lane, seq))) {
          blocked.add(lane)
          park(handler, seq)
          continue
        }
        if (admitted.length === wanted) break
        if (room > 0) leadLeased(handler, seq, leasedUntil)
        else lead(handler, seq, now)
        admitted.push(seq)
      }
      if (admitted.length === wanted || rows.length < chunk) break
      after = rows.at(-1)?.seq ?? after
      scanned += rows.length
    }
    return room > 0 ? admitted : []
  }
}

/** Index: fw_intake. Not `limit ?`, as in head.ts. */
function scanningIntake(
  db: SqliteSql,
): (handler: number, after: number, limit: number) => readonly { seq: number; lane: string | null }[] {
  const scan = query<{ seq: number; lane: string | null }>(
    db,
    `
    select seq, lane from fw_deliveries indexed by fw_intake
    where handler = ? and state = 'intake' and seq > ?
    order by seq limit ? + 0
    `,
  )
  return (handler, after, limit) => scan.all(handler, after, limit)
}

/** Index: fw_heads. */
function findingHeadOfLane(db: SqliteSql): (handler: number, lane: string) => number | undefined {
  const find = query<{ seq: number }>(
    db,
    `select seq from fw_deliveries indexed by fw_heads where handler = ? and lane = ? and state = 'head'`,
  )
  return (handler, lane) => find.get(handler, lane)?.seq
}

/** Index: primary key (seq, handler), as for the next three. */
function parking(db: SqliteSql): (handler: number, seq: number) => void {
  const park = db.prepare(
    `update fw_deliveries set state = 'parked' where seq = ? and handler = ? and state = 'intake'`,
  )
  return (handler, seq) => void park.run(seq, handler)
}

function leading(db: SqliteSql): (handler: number, seq: number, due: number) => void {
  const lead = db.prepare(
    `update fw_deliveries set state = 'head', due = ? where seq = ? and handler = ? and state = 'intake'`,
  )
  return (handler, seq, due) => void lead.run(due, seq, handler)
}

function leadingLeased(db: SqliteSql): (handler: number, seq: number, leasedUntil: number) => void {
  const lead = db.prepare(`
    update fw_deliveries set state = 'head', due = ?, token = 1, leased = 1, attempts = 1
    where seq = ? and handler = ? and state = 'intake'
  `)
  return (handler, seq, leasedUntil) => void lead.run(leasedUntil, seq, handler)
}

function demoting(db: SqliteSql): (handler: number, seq: number) => boolean {
  const demote = db.prepare(`
    update fw_deliveries set state = 'parked', due = null
    where seq = ? and handler = ? and state = 'head' and leased = 0
  `)
  return (handler, seq) => demote.run(seq, handler).changes !== 0
}
