import type { Failure, Outcome } from '../../model/outcome.ts'
import type { Lease } from '../../model/lease.ts'
import type { Settled } from '../../model/engine.ts'
import { preparePromote } from './lanes/promote.ts'
import { prepareSucceed } from './lanes/succeed.ts'
import type { Registry } from './registry.ts'
import { query, type SqliteSql } from './sql.ts'

/* All three run inside the caller's transaction. They change nothing if the lease is no longer held. */

export function prepareSettle(
  db: SqliteSql,
  registry: Registry,
): (lease: Lease, outcome: Outcome, now: number) => Settled {
  const findHeld = prepareFindHeld(db, registry)
  const uncountCrash = prepareUncountCrash(db, registry)
  const end = prepareEnd(db)
  const retry = prepareRetry(db)
  const giveBack = prepareGiveBack(db)
  const promote = preparePromote(db)
  const succeed = prepareSucceed(db)

  function endAs(held: Held, state: 'succeeded' | 'dead', reason: string | null, now: number): void {
    end(held, state, reason)
    if (held.lane === null) return
    // Only a success proves that the lane no longer fails.
    const succeeded = state === 'succeeded' && reason === null
    promote(held.handler, held.lane, now, succeeded ? null : held.held)
  }

  return (lease, outcome, now) => {
    const handler = registry.idOf(lease.handler)
    if (outcome.kind === 'succeeded' && handler !== undefined && succeed(lease, handler, now))
      return 'settled'
    const held = findHeld(lease)
    if (held === undefined) {
      uncountCrash(lease)
      return 'lost'
    }
    switch (outcome.kind) {
      case 'succeeded':
        endAs(held, 'succeeded', null, now)
        break
      case 'skipped':
        endAs(held, 'succeeded', 'skipped', now)
        break
      case 'dead': {
        const failures = withFailure(held, outcome.failure)
        endAs({ ...held, failures }, 'dead', outcome.reason, now)
        break
      }
      case 'retry':
        retry(held, Math.ceil(now + outcome.afterMs), withFailure(held, outcome.failure), now)
        break
      case 'wait':
        giveBack(held, Math.ceil(now + outcome.afterMs))
        break
    }
    return 'settled'
  }
}

export function prepareRenew(
  db: SqliteSql,
  registry: Registry,
): (lease: Lease, leasedUntil: number) => 'renewed' | 'lost' {
  const findHeld = prepareFindHeld(db, registry)
  const uncountCrash = prepareUncountCrash(db, registry)
  const extend = prepareExtend(db)
  return (lease, leasedUntil) => {
    const held = findHeld(lease)
    if (held === undefined) {
      uncountCrash(lease)
      return 'lost'
    }
    extend(held, leasedUntil)
    return 'renewed'
  }
}

export function prepareRelease(db: SqliteSql, registry: Registry): (lease: Lease, now: number) => void {
  const findHeld = prepareFindHeld(db, registry)
  const giveBack = prepareGiveBack(db)
  return (lease, now) => {
    const held = findHeld(lease)
    if (held !== undefined) giveBack(held, now)
  }
}

/** The last ten failures of a delivery, as JSON, with this one if there is one. */
function withFailure(held: Held, failure: Failure | undefined): string | null {
  if (failure === undefined) return held.failures
  const before: Failure[] = held.failures === null ? [] : JSON.parse(held.failures)
  return JSON.stringify([...before, failure].slice(-10))
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

/** The delivery, if the lease's token is still its latest. Index: primary key (seq, handler), as for all statements of this file. */
function prepareFindHeld(db: SqliteSql, registry: Registry): (lease: Lease) => Held | undefined {
  const find = query<Held>(
    db,
    `
    select seq, handler, token, lane, held, failures from fw_deliveries
    where seq = ? and handler = ? and token = ? and leased = 1
    `,
  )
  return ({ handler, position, token }) => {
    const id = registry.idOf(handler)
    return id === undefined ? undefined : find.get(position, id, Number(token))
  }
}

/** Without `returning lane`: with it SQLite collects the rows first, and the update takes three times as long. */
function prepareEnd(db: SqliteSql): (held: Held, state: string, reason: string | null) => void {
  const end = db.prepare(`
    update fw_deliveries
    set state = ?, reason = ?, failures = ?, due = null, leased = 0, company = 0, failing = null, held = null
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token, failures }, state, reason) =>
    void end.run(state, reason, failures, seq, handler, token)
}

/** The process survived the attempt, so the delivery is no suspect any more (`company = 0`). */
function prepareRetry(
  db: SqliteSql,
): (held: Held, due: number, failures: string | null, now: number) => void {
  const retry = db.prepare(`
    update fw_deliveries
    set due = ?, failures = ?, leased = 0, company = 0, failing = coalesce(failing, ?), held = coalesce(held, ?)
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due, failures, now) =>
    void retry.run(due, failures, now, now, seq, handler, token)
}

/** Makes the delivery due again as if this attempt had not been made. */
function prepareGiveBack(db: SqliteSql): (held: Held, due: number) => void {
  const giveBack = db.prepare(`
    update fw_deliveries set due = ?, leased = 0, attempts = attempts - 1
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due) => void giveBack.run(due, seq, handler, token)
}

function prepareExtend(db: SqliteSql): (held: Held, leasedUntil: number) => void {
  const extend = db.prepare(
    'update fw_deliveries set due = ? where seq = ? and handler = ? and token = ? and leased = 1',
  )
  return ({ seq, handler, token }, leasedUntil) => void extend.run(leasedUntil, seq, handler, token)
}

/**
 * Takes a counted crash back: the process that held this lease still runs, so the lease expired without a crash. Only a lease that ran alone
 * counts crashes. Once for each lease: a process may ask twice, by a renewal and a settlement.
 */
function prepareUncountCrash(db: SqliteSql, registry: Registry): (lease: Lease) => void {
  const uncount = db.prepare(
    `
    update fw_deliveries set crashes = crashes - 1, crashed_token = null
    where seq = ? and handler = ? and crashed_token = ? and state = 'head' and crashes > 0
    `,
  )
  return ({ handler, position, token, alone }) => {
    const id = alone === true ? registry.idOf(handler) : undefined
    if (id !== undefined) uncount.run(position, id, Number(token))
  }
}
