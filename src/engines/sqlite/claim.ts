import type { Claimed, Lease } from '../../model/delivery.ts'
import type { Want } from '../../model/engine.ts'
import type { EventKey } from '../../model/event.ts'
import { admitting } from './admit.ts'
import { type BodilessHead, findingDueHeads, findingHeads, type Head, keyOf, leaseOf } from './head.ts'
import { promoting } from './promote.ts'
import type { Registry } from './registry.ts'
import { query, type SqliteSql } from './sql.ts'

/** Leases heads that are due, inside the caller's transaction, and what the intake gives while there is room. */
export function claiming(
  db: SqliteSql,
  registry: Registry,
): (wants: readonly Want[], leaseMs: number, now: number) => Claimed {
  const dueHeads = findingDueHeads(db)
  const findHeads = findingHeads(db)
  const take = taking(db)
  const bury = burying(db)
  const endGone = prepareEndGone(db)
  const promote = promoting(db)
  const admit = admitting(db)
  const nextDue = findingNextDue(db)
  const hasIntake = findingIntake(db)

  return (wants, leaseMs, now) => {
    const leasedUntil = Math.ceil(now + leaseMs)
    const leases: Lease[] = []
    const crashed: { handler: string; key: EventKey }[] = []
    const gone: { handler: string; position: number }[] = []
    let nextAt = Infinity

    for (const { handler, limit } of wants) {
      const id = registry.idOf(handler)
      if (id === undefined) continue
      let room = limit
      const endBodiless = ({ seq, lane }: BodilessHead): void => {
        endGone(id, seq)
        if (lane !== null) promote(id, lane, now)
        gone.push({ handler, position: seq })
      }

      for (const head of dueHeads(id, now, limit)) {
        if (head.body === null) {
          endBodiless(head)
          continue
        }
        // Whoever leased it let its time pass.
        const crashes = head.crashes + head.leased
        if (crashes === 3) {
          bury(id, head)
          if (head.lane !== null) promote(id, head.lane, now)
          crashed.push({ handler, key: keyOf(head) })
          continue
        }
        take(id, head, crashes, leasedUntil)
        leases.push(leaseOf(handler, { ...head, token: head.token + 1, attempts: head.attempts + 1 }, now))
        room--
      }

      const admitted = admit(id, room, now, leasedUntil)
      for (const head of findHeads(id, admitted)) {
        if (head.body === null) endBodiless(head)
        else leases.push(leaseOf(handler, head, now))
      }

      nextAt = Math.min(nextAt, hasIntake(id) ? now : (nextDue(id) ?? Infinity))
    }
    return {
      leases,
      crashed,
      ...(gone.length > 0 && { gone }),
      ...(nextAt < Infinity && { nextInMs: Math.max(0, nextAt - now) }),
    }
  }
}

/** Index: primary key (seq, handler). */
function taking(db: SqliteSql): (handler: number, head: Head, crashes: number, leasedUntil: number) => void {
  const take = db.prepare(`
    update fw_deliveries set due = ?, token = token + 1, leased = 1, attempts = attempts + 1, crashes = ?
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }, crashes, leasedUntil) =>
    void take.run(leasedUntil, crashes, seq, handler, token)
}

/** The third lease expired. Index: primary key (seq, handler). */
function burying(db: SqliteSql): (handler: number, head: Head) => void {
  const bury = db.prepare(`
    update fw_deliveries set state = 'dead', reason = 'crashed', due = null, leased = 0, crashes = 3
    where seq = ? and handler = ? and token = ?
  `)
  return (handler, { seq, token }) => void bury.run(seq, handler, token)
}

/** Its event has no body that a handler could be given. Index: primary key (seq, handler). */
function prepareEndGone(db: SqliteSql): (handler: number, seq: number) => void {
  const end = db.prepare(`
    update fw_deliveries set state = 'succeeded', reason = 'gone', due = null, leased = 0
    where seq = ? and handler = ? and state = 'head'
      and not exists (select 1 from fw_events e where e.seq = fw_deliveries.seq and e.body is not null)
  `)
  return (handler, seq) => void end.run(seq, handler)
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
