import type { Lease } from '../../model/delivery.ts'
import type { EventKey, Source } from '../../model/event.ts'
import { query, type SqliteSql } from './sql.ts'

/** A lane's first delivery with its event: what a lease is made of. */
export interface Head extends Delivery {
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly source: Source
  readonly received: number
  readonly body: Uint8Array
  readonly trace: string | null
}

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
  /** Since when its lane fails. */
  readonly since: number | null
}

const columns = `
  d.seq, d.lane, d.token, d.leased, d.attempts, d.crashes, f.since,
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
    left join fw_failing f on f.handler = d.handler and f.lane = coalesce(d.lane, d.seq)
    where d.handler = ? and d.state = 'head' and d.due <= ?
    order by d.due, d.seq limit ? + 0
    `,
  )
  return (handler, now, limit) => find.all(handler, now, limit)
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
    left join fw_failing f on f.handler = d.handler and f.lane = coalesce(d.lane, d.seq)
    where d.handler = ?
    `,
  )
  return (handler, seqs) => (seqs.length === 0 ? [] : find.all(JSON.stringify(seqs), handler))
}

export function keyOf({ created, tenant, id }: Head): EventKey {
  return { createInstant: created, tenantId: tenant, id }
}

export function leaseOf(handler: string, head: Head, now: number): Lease {
  return {
    handler,
    position: head.seq,
    token: String(head.token),
    attempt: head.attempts,
    failingForMs: head.since === null ? 0 : Math.max(0, now - head.since),
    event: {
      key: keyOf(head),
      type: head.type,
      source: head.source,
      receivedAt: head.received,
      body: head.body,
      ...(head.trace !== null && { trace: head.trace }),
    },
  }
}
