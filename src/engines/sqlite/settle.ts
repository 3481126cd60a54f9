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
  const end = ending(db)
  const retry = retrying(db)
  const giveBack = givingBack(db)
  const extend = extending(db)
  const failuresOf = findingFailures(db)
  const startFailing = failingStarting(db)
  const stopFailing = failingStopping(db)
  const promote = promoting(db)

  function heldBy(lease: Lease): Held | undefined {
    const handler = registry.idOf(lease.handler)
    return handler === undefined ? undefined : { seq: lease.position, handler, token: Number(lease.token) }
  }

  /** The failures to keep with this one, undefined when the lease is lost. */
  function failuresWith(held: Held, failure: Failure, now: number): string | undefined {
    const row = failuresOf(held)
    if (row === undefined) return undefined
    startFailing(held, row.lane, now)
    const before: Failure[] = row.failures === null ? [] : JSON.parse(row.failures)
    return JSON.stringify([...before, failure].slice(-10))
  }

  function settleAs(
    held: Held,
    state: 'succeeded' | 'dead',
    reason: string | null,
    failures: string | null,
    now: number,
  ): Settled {
    const ended = end(held, state, reason, failures)
    if (ended === undefined) return 'lost'
    // A lane goes on failing until a delivery of it succeeds; a delivery by itself ends here.
    if (ended.lane === null || (state === 'succeeded' && reason === null)) stopFailing(held, ended.lane)
    if (ended.lane !== null) promote(held.handler, ended.lane, now)
    return 'settled'
  }

  return {
    settle(lease, outcome, now) {
      const held = heldBy(lease)
      if (held === undefined) return 'lost'
      switch (outcome.kind) {
        case 'succeeded':
          return settleAs(held, 'succeeded', null, null, now)
        case 'skipped':
          return settleAs(held, 'succeeded', 'skipped', null, now)
        case 'dead': {
          if (outcome.failure === undefined) return settleAs(held, 'dead', outcome.reason, null, now)
          const failures = failuresWith(held, outcome.failure, now)
          return failures === undefined ? 'lost' : settleAs(held, 'dead', outcome.reason, failures, now)
        }
        case 'retry': {
          const failures = failuresWith(held, outcome.failure, now)
          if (failures === undefined) return 'lost'
          retry(held, Math.ceil(now + outcome.afterMs), failures)
          return 'settled'
        }
        case 'wait':
          return giveBack(held, Math.ceil(now + outcome.afterMs)) ? 'settled' : 'lost'
      }
    },

    renew(lease, leasedUntil) {
      const held = heldBy(lease)
      return held !== undefined && extend(held, leasedUntil) ? 'renewed' : 'lost'
    },

    release(lease, now) {
      const held = heldBy(lease)
      if (held !== undefined) giveBack(held, now)
    },
  }
}

/** A delivery and the one lease that may change it. */
interface Held {
  readonly seq: number
  readonly handler: number
  readonly token: number
}

type Ended = { readonly lane: string | null }

/** Index: primary key (seq, handler), as for the next four. */
function ending(
  db: SqliteSql,
): (held: Held, state: string, reason: string | null, failures: string | null) => Ended | undefined {
  const end = query<Ended>(
    db,
    `
    update fw_deliveries set state = ?, reason = ?, failures = coalesce(?, failures), due = null, leased = 0
    where seq = ? and handler = ? and token = ? and leased = 1
    returning lane
    `,
  )
  return ({ seq, handler, token }, state, reason, failures) =>
    end.get(state, reason, failures, seq, handler, token)
}

function retrying(db: SqliteSql): (held: Held, due: number, failures: string) => void {
  const retry = db.prepare(`
    update fw_deliveries set due = ?, failures = ?, leased = 0
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due, failures) => void retry.run(due, failures, seq, handler, token)
}

/** The attempt uncounted. */
function givingBack(db: SqliteSql): (held: Held, due: number) => boolean {
  const giveBack = db.prepare(`
    update fw_deliveries set due = ?, leased = 0, attempts = attempts - 1
    where seq = ? and handler = ? and token = ? and leased = 1
  `)
  return ({ seq, handler, token }, due) => giveBack.run(due, seq, handler, token).changes === 1
}

function extending(db: SqliteSql): (held: Held, leasedUntil: number) => boolean {
  const extend = db.prepare(
    'update fw_deliveries set due = ? where seq = ? and handler = ? and token = ? and leased = 1',
  )
  return ({ seq, handler, token }, leasedUntil) => extend.run(leasedUntil, seq, handler, token).changes === 1
}

function findingFailures(
  db: SqliteSql,
): (held: Held) => { lane: string | null; failures: string | null } | undefined {
  const find = query<{ lane: string | null; failures: string | null }>(
    db,
    'select lane, failures from fw_deliveries where seq = ? and handler = ? and token = ? and leased = 1',
  )
  return ({ seq, handler, token }) => find.get(seq, handler, token)
}

/** Index: primary key (handler, lane), as for the next. */
function failingStarting(db: SqliteSql): (held: Held, lane: string | null, now: number) => void {
  const start = db.prepare(
    'insert into fw_failing (handler, lane, since) values (?, ?, ?) on conflict (handler, lane) do nothing',
  )
  return ({ seq, handler }, lane, now) => void start.run(handler, lane ?? seq, now)
}

function failingStopping(db: SqliteSql): (held: Held, lane: string | null) => void {
  const stop = db.prepare('delete from fw_failing where handler = ? and lane = ?')
  return ({ seq, handler }, lane) => void stop.run(handler, lane ?? seq)
}
