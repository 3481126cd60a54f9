import type { Claimed, Crashed, EndedWithoutBody } from '../../model/claimed.ts'
import type { Lease } from '../../model/lease.ts'
import type { SuspectsBeside, Want } from '../../model/engine.ts'
import { prepareAdmit } from './lanes/admit.ts'
import { prepareEndBodiless } from './lanes/end-bodiless.ts'
import { prepareFindDueHeads, prepareFindHeads, type LaneHead, leaseOf } from './lanes/lane-head.ts'
import type { Registry } from './registry.ts'
import { query, type SqliteSql } from './sql.ts'
import { prepareClaimSuspects } from './lanes/claim-suspects.ts'

/** Leases due heads, inside the caller's transaction. If that leaves room, also leases deliveries straight from the intake. */
export function prepareClaim(
  db: SqliteSql,
  registry: Registry,
): (wants: readonly Want[], leaseMs: number, now: number, suspectsBeside: SuspectsBeside) => Claimed {
  const findDueHeads = prepareFindDueHeads(db)
  const findHeads = prepareFindHeads(db)
  const take = prepareTake(db)
  const endBodiless = prepareEndBodiless(db)
  const claimSuspects = prepareClaimSuspects(db)
  const admit = prepareAdmit(db)
  const findNextDue = prepareFindNextDue(db)
  const hasIntake = prepareHasIntake(db)

  return (wants, leaseMs, now, suspectsBeside) => {
    const leasedUntil = Math.ceil(now + leaseMs)
    const leases: Lease[] = []
    const gone: EndedWithoutBody[] = []
    let crashed: readonly Crashed[] = []
    let suspects = false
    const wanted = wants.flatMap((want) => {
      const id = registry.idOf(want.handler)
      return id === undefined ? [] : [{ ...want, id }]
    })

    function claimOthers(id: number, { handler, limit }: Want): void {
      let free = limit
      for (const head of findDueHeads(id, now, limit)) {
        if (head.body === null) {
          endBodiless(id, head, now)
          gone.push({ handler, position: head.seq })
        } else if (head.leased === 1 || head.company > 0) {
          suspects = true
        } else {
          take(id, head, leasedUntil)
          leases.push(leaseOf(handler, { ...head, token: head.token + 1, attempts: head.attempts + 1 }, now))
          free--
        }
      }
      const admitted = admit(id, free, now, leasedUntil)
      for (const head of findHeads(id, admitted)) {
        if (head.body === null) {
          endBodiless(id, head, now)
          gone.push({ handler, position: head.seq })
        } else leases.push(leaseOf(handler, head, now))
      }
    }

    if (suspectsBeside !== 'none') {
      const claimed = claimSuspects(wanted, leasedUntil, now, suspectsBeside)
      leases.push(...claimed.leases)
      gone.push(...claimed.gone)
      crashed = claimed.crashed
      suspects = leases.length > 0
    }
    if (!suspects) for (const want of wanted) claimOthers(want.id, want)
    const nextAt = Math.min(...wanted.map(({ id }) => (hasIntake(id) ? now : (findNextDue(id) ?? Infinity))))
    return {
      leases,
      crashed,
      ...(suspects && { suspects }),
      ...(gone.length > 0 && { gone }),
      ...(nextAt < Infinity && { nextInMs: Math.max(0, nextAt - now) }),
    }
  }
}

/** Index: primary key (seq, handler). */
function prepareTake(db: SqliteSql): (handler: number, head: LaneHead, leasedUntil: number) => void {
  const take = db.prepare(`
    update fw_deliveries set due = ?, token = token + 1, leased = 1, attempts = attempts + 1
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, leasedUntil) => void take.run(leasedUntil, seq, handler, token)
}

/** Index: fw_due. */
function prepareFindNextDue(db: SqliteSql): (handler: number) => number | undefined {
  const find = query<{ due: number }>(
    db,
    `select due from fw_deliveries indexed by fw_due where handler = ? and state = 'head' order by due limit 1`,
  )
  return (handler) => find.get(handler)?.due
}

/** Index: fw_intake. */
function prepareHasIntake(db: SqliteSql): (handler: number) => boolean {
  const find = query<unknown>(
    db,
    `select 1 from fw_deliveries indexed by fw_intake where handler = ? and state = 'intake' limit 1`,
  )
  return (handler) => find.get(handler) !== undefined
}
