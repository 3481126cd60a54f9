import type { Crashed, EndedWithoutBody } from '../../../model/claimed.ts'
import type { Lease } from '../../../model/lease.ts'
import type { Want } from '../../../model/engine.ts'
import { keyOf } from '../../../model/event-row.ts'
import { judgeSuspects } from '../../../model/judge-suspects.ts'
import { prepareEndBodiless } from './end-bodiless.ts'
import { leaseOf, prepareFindHeads } from './lane-head.ts'
import { preparePromote } from './promote.ts'
import { query, type SqliteSql } from '../sql.ts'

/** Leases the suspects that are due to be tried again, and gives up those that have ended their process, inside the caller's transaction. */
export function prepareClaimSuspects(db: SqliteSql): (
  wanted: readonly (Want & { readonly id: number })[],
  leasedUntil: number,
  now: number,
  otherLeases: number,
) => {
  readonly leases: readonly Lease[]
  readonly crashed: readonly Crashed[]
  readonly gone: readonly EndedWithoutBody[]
} {
  const findSuspects = prepareFindSuspects(db)
  const findHeads = prepareFindHeads(db)
  const take = prepareTakeSuspect(db)
  const wait = prepareWait(db)
  const giveUp = prepareGiveUp(db)
  const promote = preparePromote(db)
  const endBodiless = prepareEndBodiless(db)

  return (wanted, leasedUntil, now, otherLeases) => {
    const suspects = wanted.flatMap(({ handler, id }) =>
      findSuspects(id, now).map((row) => {
        const { company, crashes, attempts } = row
        return { handler, id, row, expired: row.leased === 1, company, crashes, attempts }
      }),
    )
    if (suspects.length === 0) return { leases: [], crashed: [], gone: [] }
    const judged = judgeSuspects(suspects, wanted, otherLeases)
    for (const { suspect, company, crashes } of judged.wait) wait(suspect.id, suspect.row, company, crashes)
    for (const { suspect, reason } of judged.dead) {
      giveUp(suspect.id, suspect.row, reason)
      if (suspect.row.lane !== null) promote(suspect.id, suspect.row.lane, now, suspect.row.held)
    }
    for (const [{ id, row }, crashes] of judged.crashes) take(id, row, leasedUntil, judged.company, crashes)

    const leases: Lease[] = []
    const gone: EndedWithoutBody[] = []
    for (const { handler, id } of wanted) {
      const seqs = judged.lease.filter((suspect) => suspect.id === id).map(({ row }) => row.seq)
      for (const head of findHeads(id, seqs)) {
        if (head.body === null) {
          endBodiless(id, head, now)
          gone.push({ handler, position: head.seq })
        } else leases.push(leaseOf(handler, head, now))
      }
    }
    const crashed = judged.dead.flatMap(({ suspect: { handler, id, row }, reason }) =>
      findHeads(id, [row.seq]).flatMap((head) =>
        head.body === null ? [] : [{ handler, key: keyOf(head), reason }],
      ),
    )
    return { leases, crashed, gone }
  }
}

/** A delivery whose lease expired unsettled, or that has waited since then to be tried again. */
interface SuspectRow {
  readonly seq: number
  readonly token: number
  readonly lane: string | null
  readonly leased: number
  readonly attempts: number
  readonly crashes: number
  readonly company: number
  readonly held: number | null
}

/** More suspects wait for the next claim. Five handlers that lease 256 at a time stay below this limit. */
const suspectLimit = 2_000

/** Reads all due heads, so it runs only after a claim has met a suspect. Index: fw_due. */
function prepareFindSuspects(db: SqliteSql): (handler: number, now: number) => readonly SuspectRow[] {
  const find = query<SuspectRow>(
    db,
    `
    select seq, token, lane, leased, attempts, crashes, company, held from fw_deliveries indexed by fw_due
    where handler = ? and state = 'head' and due <= ? and (leased = 1 or company > 0)
    order by due, seq limit ${suspectLimit}
    `,
  )
  return (handler, now) => find.all(handler, now)
}

/** SQL: stores the new number of crashes and, if one was counted, the token of the lease that expired. Both parameters are the number. */
const countCrash = 'crashed_token = case when ? > crashes then token else crashed_token end, crashes = ?'

/** Index: primary key (seq, handler), as for the next two. */
function prepareTakeSuspect(
  db: SqliteSql,
): (handler: number, row: SuspectRow, leasedUntil: number, company: number, crashes: number) => void {
  const take = db.prepare(`
    update fw_deliveries
    set due = ?, token = token + 1, leased = 1, attempts = attempts + 1, company = ?, ${countCrash}
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, leasedUntil, company, crashes) =>
    void take.run(leasedUntil, company, crashes, crashes, seq, handler, token)
}

/** Ends the expired lease (`leased = 0`), so that its crash is counted once. */
function prepareWait(
  db: SqliteSql,
): (handler: number, row: SuspectRow, company: number, crashes: number) => void {
  const wait = db.prepare(`
    update fw_deliveries set leased = 0, company = ?, ${countCrash} where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, company, crashes) =>
    void wait.run(company, crashes, crashes, seq, handler, token)
}

function prepareGiveUp(db: SqliteSql): (handler: number, row: SuspectRow, reason: string) => void {
  const giveUp = db.prepare(`
    update fw_deliveries
    set state = 'dead', reason = ?, due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, reason) => void giveUp.run(reason, seq, handler, token)
}
