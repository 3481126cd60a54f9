import type { Lease } from '../../model/delivery.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/** A head, locked, that its lease still holds. */
export interface Held {
  readonly handler: number
  readonly lane: string
  /** JSON, as it is kept. */
  readonly failures: string | null
}

/** The lane finds the row, the rest fences it. */
export function tokenOf(lane: string, token: string): string {
  return `${lane}/${token}`
}

/**
 * Locks the heads of these leases, in the one order in which all who wait for heads lock them. Gives one for each lease, undefined where
 * somebody else holds the delivery.
 */
export function holding(
  schema: string,
): (client: PostgresClient, leases: readonly Lease[]) => Promise<readonly (Held | undefined)[]> {
  const lock = locking(schema)
  return async (client, leases) => {
    const tokens = leases.map(({ token }) => token.split('/'))
    const rows = await lock(
      client,
      leases.map(({ handler }) => handler),
      tokens.map(([lane]) => lane),
      tokens.map(([, token]) => token),
    )
    const held: (Held | undefined)[] = leases.map(() => undefined)
    for (const row of rows) held[row.place] = row
    return held
  }
}

/** One row for each head, whoever names it twice. Index: primary key (lane, handler). */
function locking(schema: string): Statement<Held & { readonly place: number }> {
  return statement(
    `${schema}.hold`,
    `
    select (l.place - 1)::float8 as place, h.handler, h.lane, h.failures
    from (
      select distinct on (n.id, l.lane, l.token) n.id as handler, l.lane, l.token, l.place
      from unnest($1::text[], $2::uuid[], $3::uuid[]) with ordinality as l (handler, lane, token, place)
      join ${schema}.handlers n on n.name = l.handler
      order by n.id, l.lane, l.token, l.place
    ) l
    join ${schema}.heads h on h.lane = l.lane and h.handler = l.handler
    where h.token = l.token
    order by h.handler, h.lane
    for update of h
    `,
  )
}
