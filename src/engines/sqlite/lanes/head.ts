import type { Lease } from '../../../model/lease.ts'
import { leasedEventOf, type LeasedRow } from '../../../model/event-row.ts'
import { query, type SqliteSql } from '../sql.ts'

/** A lane's first delivery with its event: what a lease is made of. */
export interface Head extends Delivery, LeasedRow {}

/** A delivery whose event has no body, or is not there: older versions made such ones. */
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
  /** When it first failed. */
  readonly failing: number | null
  /** Since when failing deliveries hold its lane. */
  readonly held: number | null
}

const columns = `
  d.seq, d.lane, d.token, d.leased, d.attempts, d.crashes, d.company, d.failing, d.held,
  e.created, e.tenant, e.id, e.type, e.source, e.received, e.body, e.trace`

/** Oldest due first. Index: fw_due. Not `limit ?`: SQLite plans by the value, and so prepares anew whenever one is bound: 30 us. */
export function findingDueHeads(
  db: SqliteSql,
): (handler: number, now: number, limit: number) => readonly (Head | BodilessHead)[] {
  const find = query<Head | BodilessHead>(
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

/** A delivery whose lease expired unsettled, or that waits to be tried again since then. */
export interface SuspectRow {
  readonly seq: number
  readonly token: number
  readonly lane: string | null
  readonly leased: number
  readonly attempts: number
  readonly crashes: number
  readonly company: number
  readonly held: number | null
}

/** Beyond this the rest waits for the next claim. Five handlers that lease 256 at a time stay below it. */
const suspectLimit = 2_000

/** Walks all that is due: asked only after a claim has met a suspect. Index: fw_due. */
export function findingSuspects(db: SqliteSql): (handler: number, now: number) => readonly SuspectRow[] {
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

/** In one query: half of what a query for each costs. Index: primary key (seq, handler). */
export function findingHeads(
  db: SqliteSql,
): (handler: number, seqs: readonly number[]) => readonly (Head | BodilessHead)[] {
  const find = query<Head | BodilessHead>(
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

export function leaseOf(handler: string, head: Head, now: number): Lease {
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
