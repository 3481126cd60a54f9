import type { Claimed, Crashed, EndedWithoutBody } from '../../model/claimed.ts'
import type { Lease } from '../../model/lease.ts'
import type { SuspectsBeside, Want } from '../../model/engine.ts'
import { admitting } from './lanes/admit.ts'
import { prepareEndGone } from './lanes/end-gone.ts'
import { findingDueHeads, findingHeads, type Head, leaseOf } from './lanes/head.ts'
import type { Registry } from './registry.ts'
import { query, type SqliteSql } from './sql.ts'
import { prepareClaimSuspects } from './lanes/suspects.ts'

/** Leases heads that are due, inside the caller's transaction, and what the intake gives while there is room. */
export function claiming(
  db: SqliteSql,
  registry: Registry,
): (wants: readonly Want[], leaseMs: number, now: number, suspectsBeside: SuspectsBeside) => Claimed {
  const dueHeads = findingDueHeads(db)
  const findHeads = findingHeads(db)
  const take = taking(db)
  const endGone = prepareEndGone(db)
  const claimSuspects = prepareClaimSuspects(db)
  const admit = admitting(db)
  const nextDue = findingNextDue(db)
  const hasIntake = findingIntake(db)

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
      let room = limit
      for (const head of dueHeads(id, now, limit)) {
        if (head.body === null) {
          endGone(id, head, now)
          gone.push({ handler, position: head.seq })
        } else if (head.leased === 1 || head.company > 0) {
          suspects = true
        } else {
          take(id, head, leasedUntil)
          leases.push(leaseOf(handler, { ...head, token: head.token + 1, attempts: head.attempts + 1 }, now))
          room--
        }
      }
      const admitted = admit(id, room, now, leasedUntil)
      for (const head of findHeads(id, admitted)) {
        if (head.body === null) {
          endGone(id, head, now)
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
    const nextAt = Math.min(...wanted.map(({ id }) => (hasIntake(id) ? now : (nextDue(id) ?? Infinity))))
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
function taking(db: SqliteSql): (handler: number, head: Head, leasedUntil: number) => void {
  const take = db.prepare(`
    update fw_deliveries set due = ?, token = token + 1, leased = 1, attempts = attempts + 1
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, leasedUntil) => void take.run(leasedUntil, seq, handler, token)
}

/** Index: fw_due. */
function findingNextDue(db: SqliteSql): (handler: number) => number | undefined {
  const find = query<{ due: number }>(
    db,
    `select due from fw_deliveries indexed by fw_due where handler = ? and state = 'head' order by due limit 1`,
  )
  return (handler) => find.get(handler)?.due
}

/** Index: fw_intake. */
function findingIntake(db: SqliteSql): (handler: number) => boolean {
  const find = query<unknown>(
    db,
    `select 1 from fw_deliveries indexed by fw_intake where handler = ? and state = 'intake' limit 1`,
  )
  return (handler) => find.get(handler) !== undefined
}
