import type { Failure, Outcome } from '../../model/outcome.ts'
import type { Lease } from '../../model/lease.ts'
import type { Settled } from '../../model/engine.ts'
import { promoting } from './lanes/promote.ts'
import type { Registry } from './registry.ts'
import { query, type SqliteSql } from './sql.ts'

/** What the holder of a lease can do, inside the caller's transaction. A lease no longer held is `lost`, and changes nothing. */
export interface Leases {
  settle(lease: Lease, outcome: Outcome, now: number): Settled
  renew(lease: Lease, leasedUntil: number): 'renewed' | 'lost'
  release(lease: Lease, now: number): void
}

export function leasing(db: SqliteSql, registry: Registry): Leases {
  const find = finding(db)
  const end = ending(db)
  const retry = retrying(db)
  const giveBack = givingBack(db)
  const extend = extending(db)
  const promote = promoting(db)
  const takeBack = prepareTakeBack(db)

  function heldBy(lease: Lease): Held | undefined {
    const handler = registry.idOf(lease.handler)
    return handler === undefined ? undefined : find(lease.position, handler, Number(lease.token))
  }

  /** The process that held the lease is alive, so its expiry was no crash: takes the counted crash back. */
  function lost(lease: Lease): 'lost' {
    const handler = lease.alone === true ? registry.idOf(lease.handler) : undefined
    if (handler !== undefined) takeBack(lease.position, handler)
    return 'lost'
  }

  /** The failures to keep on the row, this one among them if there is one. */
  function failuresWith(held: Held, failure: Failure | undefined): string | null {
    if (failure === undefined) return held.failures
    const before: Failure[] = held.failures === null ? [] : JSON.parse(held.failures)
    return JSON.stringify([...before, failure].slice(-10))
  }

  function endAs(held: Held, state: 'succeeded' | 'dead', reason: string | null, now: number): void {
    end(held, state, reason)
    if (held.lane === null) return
    // Only a success says that the lane is no longer held by failures.
    const succeeded = state === 'succeeded' && reason === null
    promote(held.handler, held.lane, now, succeeded ? null : held.held)
  }

  return {
    settle(lease, outcome, now) {
      const held = heldBy(lease)
      if (held === undefined) return lost(lease)
      switch (outcome.kind) {
        case 'succeeded':
          endAs(held, 'succeeded', null, now)
          break
        case 'skipped':
          endAs(held, 'succeeded', 'skipped', now)
          break
        case 'dead': {
          const failures = failuresWith(held, outcome.failure)
          endAs({ ...held, failures }, 'dead', outcome.reason, now)
          break
        }
        case 'retry':
          retry(held, Math.ceil(now + outcome.afterMs), failuresWith(held, outcome.failure), now)
          break
        case 'wait':
          giveBack(held, Math.ceil(now + outcome.afterMs))
          break
      }
      return 'settled'
    },

    renew(lease, leasedUntil) {
      const held = heldBy(lease)
      if (held === undefined) return lost(lease)
      extend(held, leasedUntil)
      return 'renewed'
    },

    release(lease, now) {
      const held = heldBy(lease)
      if (held !== undefined) giveBack(held, now)
    },
  }
}

/** A leased delivery. */
interface Held {
  readonly seq: number
  readonly handler: number
  readonly token: number
  readonly lane: string | null
  /** Since when failing deliveries hold its lane. */
  readonly held: number | null
  readonly failures: string | null
}

/** The delivery, while this token is its own. Index: primary key (seq, handler), as for the next four. */
function finding(db: SqliteSql): (seq: number, handler: number, token: number) => Held | undefined {
  const find = query<Held>(
    db,
    `
    select seq, handler, token, lane, held, failures from fw_deliveries
    where seq = ? and handler = ? and token = ? and leased = 1
    `,
  )
  return (seq, handler, token) => find.get(seq, handler, token)
}

/** Not `returning lane`: with it SQLite collects the rows first, and the update takes three times as long. */
function ending(db: SqliteSql): (held: Held, state: string, reason: string | null) => void {
  const end = db.prepare(`
    update fw_deliveries
    set state = ?, reason = ?, failures = ?, due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token, failures }, state, reason) =>
    void end.run(state, reason, failures, seq, handler, token)
}

/** Its process lived to see the end of the attempt, so it is no suspect any more. */
function retrying(db: SqliteSql): (held: Held, due: number, failures: string | null, now: number) => void {
  const retry = db.prepare(`
    update fw_deliveries
    set due = ?, failures = ?, leased = 0, company = 0, failing = coalesce(failing, ?), held = coalesce(held, ?)
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due, failures, now) =>
    void retry.run(due, failures, now, now, seq, handler, token)
}

/** The attempt uncounted. */
function givingBack(db: SqliteSql): (held: Held, due: number) => void {
  const giveBack = db.prepare(`
    update fw_deliveries set due = ?, leased = 0, attempts = attempts - 1
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due) => void giveBack.run(due, seq, handler, token)
}

function extending(db: SqliteSql): (held: Held, leasedUntil: number) => void {
  const extend = db.prepare(
    'update fw_deliveries set due = ? where seq = ? and handler = ? and token = ? and leased = 1',
  )
  return ({ seq, handler, token }, leasedUntil) => void extend.run(leasedUntil, seq, handler, token)
}

/** A crash was counted that was none. Index: primary key (seq, handler). */
function prepareTakeBack(db: SqliteSql): (seq: number, handler: number) => void {
  const takeBack = db.prepare(
    `update fw_deliveries set crashes = crashes - 1 where seq = ? and handler = ? and state = 'head' and crashes > 0`,
  )
  return (seq, handler) => void takeBack.run(seq, handler)
}
