import type { Crashed, EndedWithoutBody } from '../../../model/claimed.ts'
import type { Lease } from '../../../model/lease.ts'
import type { Want } from '../../../model/engine.ts'
import { keyOf } from '../../../model/event-row.ts'
import { judgeSuspects } from '../../../model/judge-suspects.ts'
import { prepareEndGone } from './end-gone.ts'
import { findingHeads, findingSuspects, leaseOf, type SuspectRow } from './head.ts'
import { promoting } from './promote.ts'
import type { SqliteSql } from '../sql.ts'

/** Leases what is to be tried again after a process ended, and gives up what ended it, inside the caller's transaction. */
export function prepareClaimSuspects(db: SqliteSql): (
  wanted: readonly (Want & { readonly id: number })[],
  leasedUntil: number,
  now: number,
  beside: number,
) => {
  readonly leases: readonly Lease[]
  readonly crashed: readonly Crashed[]
  readonly gone: readonly EndedWithoutBody[]
} {
  const findSuspects = findingSuspects(db)
  const findHeads = findingHeads(db)
  const take = prepareTakeSuspect(db)
  const wait = prepareWait(db)
  const bury = prepareBury(db)
  const promote = promoting(db)
  const endGone = prepareEndGone(db)

  return (wanted, leasedUntil, now, beside) => {
    const suspects = wanted.flatMap(({ handler, id }) =>
      findSuspects(id, now).map((row) => {
        const { company, crashes, attempts } = row
        return { handler, id, row, expired: row.leased === 1, company, crashes, attempts }
      }),
    )
    if (suspects.length === 0) return { leases: [], crashed: [], gone: [] }
    const judged = judgeSuspects(suspects, wanted, beside)
    for (const { suspect, company, crashes } of judged.wait) wait(suspect.id, suspect.row, company, crashes)
    for (const { suspect, reason } of judged.dead) {
      bury(suspect.id, suspect.row, reason)
      if (suspect.row.lane !== null) promote(suspect.id, suspect.row.lane, now, suspect.row.held)
    }
    for (const [{ id, row }, crashes] of judged.crashes) take(id, row, leasedUntil, judged.company, crashes)

    const leases: Lease[] = []
    const gone: EndedWithoutBody[] = []
    for (const { handler, id } of wanted) {
      const seqs = judged.lease.filter((suspect) => suspect.id === id).map(({ row }) => row.seq)
      for (const head of findHeads(id, seqs)) {
        if (head.body === null) {
          endGone(id, head, now)
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

/** Index: primary key (seq, handler), as for the next two. */
function prepareTakeSuspect(
  db: SqliteSql,
): (handler: number, row: SuspectRow, leasedUntil: number, company: number, crashes: number) => void {
  const take = db.prepare(`
    update fw_deliveries
    set due = ?, token = token + 1, leased = 1, attempts = attempts + 1, company = ?, crashes = ?
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, leasedUntil, company, crashes) =>
    void take.run(leasedUntil, company, crashes, seq, handler, token)
}

/** The lease has expired. Takes its token away, so that one crash is counted once. */
function prepareWait(
  db: SqliteSql,
): (handler: number, row: SuspectRow, company: number, crashes: number) => void {
  const wait = db.prepare(`
    update fw_deliveries set leased = 0, company = ?, crashes = ? where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, company, crashes) => void wait.run(company, crashes, seq, handler, token)
}

function prepareBury(db: SqliteSql): (handler: number, row: SuspectRow, reason: string) => void {
  const bury = db.prepare(`
    update fw_deliveries
    set state = 'dead', reason = ?, due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, reason) => void bury.run(reason, seq, handler, token)
}
