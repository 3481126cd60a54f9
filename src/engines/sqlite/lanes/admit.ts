import { query, type SqliteSql } from '../sql.ts'

/** How many deliveries one claim takes out of the intake at most (5 us each), so that parking a long lane is spread over many claims. */
const scanLimit = 512
/** How many heads a claim without room makes, so that new arrivals also become due while retries fill every claim. */
const admittedWhenFull = 16

/**
 * Takes deliveries out of a handler's intake, in order, inside the caller's transaction. A delivery whose lane has a head is parked behind it;
 * any other becomes a head and, while there is room, is leased until `leasedUntil`. Returns the leased ones.
 */
export function prepareAdmit(
  db: SqliteSql,
): (handler: number, room: number, now: number, leasedUntil: number) => readonly number[] {
  const scanIntake = prepareScanIntake(db)
  const findHead = prepareFindHeadOfLane(db)
  const demote = prepareDemote(db)
  const park = preparePark(db)
  const makeHead = prepareMakeHead(db)
  const makeLeasedHead = prepareMakeLeasedHead(db)

  /** Whether the lane has a head that stays in front. A replayed delivery goes in front of a younger head that is not leased. */
  function isBehind(handler: number, lane: string, seq: number): boolean {
    const head = findHead(handler, lane)
    return head !== undefined && (head < seq || !demote(handler, head))
  }

  return (handler, room, now, leasedUntil) => {
    const admitted: number[] = []
    const blocked = new Set<string>()
    const wanted = room > 0 ? room : admittedWhenFull
    let after = 0
    for (let scanned = 0; scanned < scanLimit;) {
      const chunk = Math.max(wanted - admitted.length, admittedWhenFull)
      const rows = scanIntake(handler, after, chunk)
      for (const { seq, lane } of rows) {
        if (lane !== null && (blocked.has(lane) || isBehind(handler, lane, seq))) {
          blocked.add(lane)
          park(handler, seq)
          continue
        }
        if (admitted.length === wanted) break
        if (room > 0) makeLeasedHead(handler, seq, leasedUntil)
        else makeHead(handler, seq, now)
        admitted.push(seq)
      }
      if (admitted.length === wanted || rows.length < chunk) break
      after = rows.at(-1)?.seq ?? after
      scanned += rows.length
    }
    return room > 0 ? admitted : []
  }
}

/** Index: fw_intake. `limit ? + 0`: see lane-head.ts. */
function prepareScanIntake(
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
function prepareFindHeadOfLane(db: SqliteSql): (handler: number, lane: string) => number | undefined {
  const find = query<{ seq: number }>(
    db,
    `select seq from fw_deliveries indexed by fw_heads where handler = ? and lane = ? and state = 'head'`,
  )
  return (handler, lane) => find.get(handler, lane)?.seq
}

/** Index: primary key (seq, handler), as for the next three. */
function preparePark(db: SqliteSql): (handler: number, seq: number) => void {
  const park = db.prepare(
    `update fw_deliveries set state = 'parked' where seq = ? and handler = ? and state = 'intake'`,
  )
  return (handler, seq) => void park.run(seq, handler)
}

function prepareMakeHead(db: SqliteSql): (handler: number, seq: number, due: number) => void {
  const makeHead = db.prepare(
    `update fw_deliveries set state = 'head', due = ? where seq = ? and handler = ? and state = 'intake'`,
  )
  return (handler, seq, due) => void makeHead.run(due, seq, handler)
}

function prepareMakeLeasedHead(db: SqliteSql): (handler: number, seq: number, leasedUntil: number) => void {
  const makeHead = db.prepare(`
    update fw_deliveries set state = 'head', due = ?, token = 1, leased = 1, attempts = 1
    where seq = ? and handler = ? and state = 'intake'
  `)
  return (handler, seq, leasedUntil) => void makeHead.run(leasedUntil, seq, handler)
}

function prepareDemote(db: SqliteSql): (handler: number, seq: number) => boolean {
  const demote = db.prepare(`
    update fw_deliveries set state = 'parked', due = null, held = null
    where seq = ? and handler = ? and state = 'head' and leased = 0
  `)
  return (handler, seq) => demote.run(seq, handler).changes !== 0
}
