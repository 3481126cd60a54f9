import type { Lease } from '../../../model/lease.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import { leaseToken, partsOfToken } from './lease-token.ts'

/** The head of a lane: locked, and still held by the caller's lease. */
export interface HeldLane {
  readonly handler: number
  readonly lane: string
  readonly position: number
  readonly created: number
  readonly attempts: number
  /** A JSON array of `Failure`. */
  readonly failures: string | null
}

/** One of the leases that a caller gave, and its index among them. */
export interface AskedLease {
  readonly lease: Lease
  readonly index: number
}

/** In order of handler name: whatever locks heads of several handlers locks them in this order, and those of one handler in order of lane. */
export function groupByHandler(
  leases: readonly Lease[],
): readonly (readonly [handler: string, asked: readonly AskedLease[]])[] {
  const groups = Map.groupBy(
    leases.map((lease, index): AskedLease => ({ lease, index })),
    ({ lease }) => lease.handler,
  )
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Locks the heads of one handler's leases. Returns those that their lease still holds, by the lease's index. */
export function prepareLockHeldLanes(
  schema: string,
): (
  client: PostgresClient,
  handler: string,
  asked: readonly AskedLease[],
) => Promise<ReadonlyMap<number, HeldLane>> {
  const lock = prepareLockHeads(schema)
  return async (client, handler, asked) => {
    const rows = await lock(
      client,
      handler,
      asked.map(({ lease }) => partsOfToken(lease.token).lane),
    )
    const heads = new Map(rows.map((row) => [leaseToken(row.lane, row.token ?? ''), row]))
    const held = new Map<number, HeldLane>()
    for (const { lease, index } of asked) {
      const head = heads.get(lease.token)
      if (head === undefined) continue
      held.set(index, head)
      heads.delete(lease.token) // A lease that is given twice is held once.
    }
    return held
  }
}

/** Index: primary key (lane, handler). */
function prepareLockHeads(schema: string): Statement<HeldLane & { readonly token: string | null }> {
  return statement(
    `${schema}.lock_held`,
    `
    select handler, lane, position::float8, created::float8, attempts, token, failures from ${schema}.heads
    where handler = (select id from ${schema}.handlers where name = $1) and lane = any ($2::uuid[])
    order by lane
    for update
    `,
  )
}
