import type { Lease } from '../../../model/lease.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** A head, locked, that its lease still holds. */
export interface HeldLane {
  readonly handler: number
  readonly lane: string
  readonly position: number
  readonly created: number
  readonly attempts: number
  /** JSON, as it is kept. */
  readonly failures: string | null
}

/** A lease of one handler, and its place in what was asked. */
export interface AskedLease {
  readonly lease: Lease
  readonly place: number
}

/** The lane finds the row, the rest fences it. */
export function tokenOf(lane: string, token: string): string {
  return `${lane}/${token}`
}

/** In order of name: whoever waits for heads of several handlers locks them in this order, and in each handler by lane. */
export function groupByHandler(
  leases: readonly Lease[],
): readonly (readonly [handler: string, asked: readonly AskedLease[]])[] {
  const groups = new Map<string, AskedLease[]>()
  for (const [place, lease] of leases.entries()) {
    const group = groups.get(lease.handler) ?? []
    group.push({ lease, place })
    groups.set(lease.handler, group)
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Locks the heads of one handler's leases. Gives those that their lease still holds, by its place. */
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
      asked.map(({ lease }) => lease.token.split('/')[0]),
    )
    const heads = new Map(rows.map((row) => [tokenOf(row.lane, row.token ?? ''), row]))
    const held = new Map<number, HeldLane>()
    for (const { lease, place } of asked) {
      const head = heads.get(lease.token)
      if (head === undefined) continue
      held.set(place, head)
      heads.delete(lease.token) // Whoever names a lease twice holds it once.
    }
    return held
  }
}

/** Index: primary key (lane, handler). */
function prepareLockHeads(schema: string): Statement<HeldLane & { readonly token: string | null }> {
  return statement(
    `${schema}.hold`,
    `
    select handler, lane, position::float8, created::float8, attempts, token, failures from ${schema}.heads
    where handler = (select id from ${schema}.handlers where name = $1) and lane = any ($2::uuid[])
    order by lane
    for update
    `,
  )
}
