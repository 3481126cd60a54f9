import { type PostgresClient, statement } from '../sql.ts'
import { partsOfToken } from './lease-token.ts'
import type { AskedLease, HeldLane } from './lock-held-lanes.ts'

/**
 * A process that asks about a lease it has lost is alive, so the lease did not expire by a crash: takes the counted crash back. Once for each
 * lease: a process may ask twice, by a renewal and a settlement, or by a settlement whose commit was not answered. The caller has locked the
 * heads. Index: primary key (lane, handler).
 */
export function prepareUncountCrash(
  schema: string,
): (
  client: PostgresClient,
  handler: string,
  asked: readonly AskedLease[],
  held: ReadonlyMap<number, HeldLane>,
) => Promise<void> {
  const uncount = statement(
    `${schema}.uncount_crash`,
    `
    update ${schema}.heads h set crashes = crashes - 1, crashed_token = null
    where handler = (select id from ${schema}.handlers where name = $1) and lane = any ($2::uuid[])
      and crashed_token = any ($3::uuid[]) and position = any ($4::bigint[]) and crashes > 0
    `,
  )
  return async (client, handler, asked, held) => {
    const lost = asked.filter(({ lease, index }) => lease.alone === true && !held.has(index))
    if (lost.length === 0) return
    const tokens = lost.map(({ lease }) => partsOfToken(lease.token))
    await uncount(
      client,
      handler,
      tokens.map(({ lane }) => lane),
      tokens.map(({ token }) => token),
      lost.map(({ lease }) => lease.position),
    )
  }
}
