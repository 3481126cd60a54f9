import type { Lease } from '../../../model/lease.ts'
import type { Source } from '../../../model/arrival.ts'
import { tokenOf } from './lock-held-lanes.ts'

/** A head that was leased a moment ago, without its event. */
export interface LeasedRow {
  readonly lane: string
  readonly position: number
  /** `createInstant` of the event it is for, as the delivery has it. */
  readonly of: number
  readonly attempts: number
  readonly failing_for: number
  readonly held_for: number
  readonly company: number
}

/** Its event has no body, or is not there: older versions made such deliveries. */
export interface BodilessHead extends LeasedRow {
  readonly body: null
}

export interface LeasedHead extends LeasedRow {
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly source: Source
  readonly received: number
  readonly trace: string | null
  readonly body: Uint8Array
}

/** What an update of heads returns, to be selected from as `t`. A head that never failed has no `failing`: a node of version 1 leaves the last one's. */
export const leasedColumns = `lane, position, created, attempts, company, held, case when failures is null then null else failing end as failing`

/** The columns of `Taken | BodilessHead`, of heads `t` and events `e`. */
export function leaseColumns(schema: string): string {
  return `
    t.lane, t.position::float8, t.created::float8 as of, t.attempts, t.company,
    coalesce((select ${schema}.now()) - t.failing, 0)::float8 as failing_for,
    coalesce((select ${schema}.now()) - t.held, 0)::float8 as held_for,
    e.created::float8, e.tenant, e.id, e.type, e.source, e.received::float8, e.trace, e.body`
}

/** Looks the event of each head `t` up. Index: unique (position, created). */
export function joinEvents(schema: string): string {
  return `
    left join lateral (
      select * from ${schema}.events e where e.position = t.position and e.created = t.created limit 1
    ) e on true`
}

export function leaseOf(handler: string, token: string, row: LeasedHead): Lease {
  return {
    handler,
    position: row.position,
    token: tokenOf(row.lane, token),
    attempt: row.attempts,
    failingForMs: Math.max(0, row.failing_for),
    laneHeldForMs: Math.max(0, row.held_for),
    ...(row.company === 1 && { alone: true }),
    event: {
      key: { createInstant: row.created, tenantId: row.tenant, id: row.id },
      type: row.type,
      source: row.source,
      receivedAt: row.received,
      ...(row.trace !== null && { trace: row.trace }),
      body: row.body,
    },
  }
}
