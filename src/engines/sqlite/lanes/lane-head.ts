import type { Lease } from '../../../model/lease.ts'
import { leasedEventOf, type LeasedRow } from '../../../model/event-row.ts'
import { query, type SqliteSql } from '../sql.ts'

/** The first delivery of a lane, with its event. */
export interface LaneHead extends Delivery, LeasedRow {}

/** A head whose event has no body, or does not exist: older versions made such deliveries. */
export interface BodilessHead extends Delivery {
  readonly body: null
}

interface Delivery {
  readonly seq: number
  readonly lane: string | null
  readonly token: number
  readonly leased: number
  readonly attempts: number
  readonly crashes: number
  readonly company: number
  /** When the delivery first failed, epoch ms. */
  readonly failing: number | null
  /** Since when failing deliveries hold the lane, epoch ms. */
  readonly held: number | null
}

const columns = `
  d.seq, d.lane, d.token, d.leased, d.attempts, d.crashes, d.company, d.failing, d.held,
  e.created, e.tenant, e.id, e.type, e.source, e.received, e.body, e.trace`

/**
 * Oldest due first. Index: fw_due. `limit ? + 0` instead of `limit ?`: SQLite plans by the bound value, and would prepare the statement again at
 * each call: 30 us.
 */
export function prepareFindDueHeads(
  db: SqliteSql,
): (handler: number, now: number, limit: number) => readonly (LaneHead | BodilessHead)[] {
  const find = query<LaneHead | BodilessHead>(
    db,
    `
    select ${columns}
    from fw_deliveries d indexed by fw_due
    left join fw_events e on e.seq = d.seq
    where d.handler = ? and d.state = 'head' and d.due <= ?
    order by d.due, d.seq limit ? + 0
    `,
  )
  return (handler, now, limit) => find.all(handler, now, limit)
}

/** One query for all takes half the time of one query for each. Index: primary key (seq, handler). */
export function prepareFindHeads(
  db: SqliteSql,
): (handler: number, seqs: readonly number[]) => readonly (LaneHead | BodilessHead)[] {
  const find = query<LaneHead | BodilessHead>(
    db,
    `
    select ${columns}
    from json_each(?) admitted
    cross join fw_deliveries d on d.seq = admitted.value
    left join fw_events e on e.seq = d.seq
    where d.handler = ?
    `,
  )
  return (handler, seqs) => (seqs.length === 0 ? [] : find.all(JSON.stringify(seqs), handler))
}

export function leaseOf(handler: string, head: LaneHead, now: number): Lease {
  return {
    handler,
    position: head.seq,
    token: String(head.token),
    attempt: head.attempts,
    failingForMs: head.failing === null ? 0 : Math.max(0, now - head.failing),
    laneHeldForMs: head.held === null ? 0 : Math.max(0, now - head.held),
    ...(head.company === 1 && { alone: true }),
    event: leasedEventOf(head),
  }
}
