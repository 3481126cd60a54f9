import type { Failure, Lease, Outcome } from '../../model/delivery.ts'
import type { Settled } from '../../model/engine.ts'
import { promoting } from './promote.ts'
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
  const startFailing = failingStarting(db)
  const stopFailing = failingStopping(db)
  const promote = promoting(db)

  function heldBy(lease: Lease): Held | undefined {
    const handler = registry.idOf(lease.handler)
    return handler === undefined ? undefined : find(lease.position, handler, Number(lease.token))
  }

  /** The failures to keep on the row, this one among them if there is one. */
  function failuresWith(held: Held, failure: Failure | undefined, now: number): string | null {
    if (failure === undefined) return held.failures
    startFailing(held, now)
    const before: Failure[] = held.failures === null ? [] : JSON.parse(held.failures)
    return JSON.stringify([...before, failure].slice(-10))
  }

  function endAs(held: Held, state: 'succeeded' | 'dead', reason: string | null, now: number): void {
    end(held, state, reason)
    // A lane goes on failing until a delivery of it succeeds; a delivery by itself ends here.
    if (held.lane === null || (state === 'succeeded' && reason === null)) stopFailing(held)
    if (held.lane !== null) promote(held.handler, held.lane, now)
  }

  return {
    settle(lease, outcome, now) {
      const held = heldBy(lease)
      if (held === undefined) return 'lost'
      switch (outcome.kind) {
        case 'succeeded':
          endAs(held, 'succeeded', null, now)
          break
        case 'skipped':
          endAs(held, 'succeeded', 'skipped', now)
          break
        case 'dead': {
          const failures = failuresWith(held, outcome.failure, now)
          endAs({ ...held, failures }, 'dead', outcome.reason, now)
          break
        }
        case 'retry':
          retry(held, Math.ceil(now + outcome.afterMs), failuresWith(held, outcome.failure, now))
          break
        case 'wait':
          giveBack(held, Math.ceil(now + outcome.afterMs))
          break
      }
      return 'settled'
    },

    renew(lease, leasedUntil) {
      const held = heldBy(lease)
      if (held === undefined) return 'lost'
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
  readonly failures: string | null
}

/** The delivery, while this token is its own. Index: primary key (seq, handler), as for the next four. */
function finding(db: SqliteSql): (seq: number, handler: number, token: number) => Held | undefined {
  const find = query<Held>(
    db,
    `
    select seq, handler, token, lane, failures from fw_deliveries
    where seq = ? and handler = ? and token = ? and leased = 1
    `,
  )
  return (seq, handler, token) => find.get(seq, handler, token)
}

/** Not `returning lane`: with it SQLite collects the rows first, and the update takes three times as long. */
function ending(db: SqliteSql): (held: Held, state: string, reason: string | null) => void {
  const end = db.prepare(`
    update fw_deliveries set state = ?, reason = ?, failures = ?, due = null, leased = 0
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token, failures }, state, reason) =>
    void end.run(state, reason, failures, seq, handler, token)
}

function retrying(db: SqliteSql): (held: Held, due: number, failures: string | null) => void {
  const retry = db.prepare(`
    update fw_deliveries set due = ?, failures = ?, leased = 0
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due, failures) => void retry.run(due, failures, seq, handler, token)
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

/** Index: primary key (handler, lane), as for the next. */
function failingStarting(db: SqliteSql): (held: Held, now: number) => void {
  const start = db.prepare(
    'insert into fw_failing (handler, lane, since) values (?, ?, ?) on conflict (handler, lane) do nothing',
  )
  return ({ seq, handler, lane }, now) => void start.run(handler, lane ?? seq, now)
}

function failingStopping(db: SqliteSql): (held: Held) => void {
  const stop = db.prepare('delete from fw_failing where handler = ? and lane = ?')
  return ({ seq, handler, lane }) => void stop.run(handler, lane ?? seq)
}
