import type { Lease } from '../../../model/lease.ts'
import { leasedEventOf, type LeasedRow } from '../../../model/event-row.ts'
import { leaseToken } from './lease-token.ts'

/** The head of a lane that was leased in this statement, and its event. */
export interface LeasedHead extends LeaseColumns, LeasedRow {}

/** A leased head whose event has no body, or no row: older versions made such deliveries. */
export interface BodilessHead extends LeaseColumns {
  readonly body: null
}

interface LeaseColumns {
  readonly lane: string
  readonly position: number
  /** `createInstant` of its event, as the delivery's row has it: the event's row may be missing. */
  readonly of: number
  readonly attempts: number
  readonly failing_for: number
  readonly held_for: number
  readonly company: number
}

/** What an update of heads returns, to be selected from as `t`. A node of version 1 leaves the last delivery's `failing` in a head that never failed. */
export const returnedColumns = `lane, position, created, attempts, company, held, case when failures is null then null else failing end as failing`

/** The columns of `LeasedHead | BodilessHead`, of heads `t` and events `e`. */
export function leasedColumns(schema: string): string {
  return `
    t.lane, t.position::float8, t.created::float8 as of, t.attempts, t.company,
    coalesce((select ${schema}.now()) - t.failing, 0)::float8 as failing_for,
    coalesce((select ${schema}.now()) - t.held, 0)::float8 as held_for,
    e.created::float8, e.tenant, e.id, e.type, e.source, e.received::float8, e.trace, e.body`
}

/** Finds the event of each head `t`. Index: unique (position, created). */
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
    token: leaseToken(row.lane, token),
    attempt: row.attempts,
    failingForMs: Math.max(0, row.failing_for),
    laneHeldForMs: Math.max(0, row.held_for),
    ...(row.company === 1 && { alone: true }),
    event: leasedEventOf(row),
  }
}
