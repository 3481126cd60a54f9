import { type PostgresClient, statement } from '../sql.ts'
import { partsOfToken } from './lease-token.ts'
import type { AskedLease, HeldLane } from './lock-held-lanes.ts'

/**
 * A process that asks about a lease it has lost is alive, so the lease did not expire by a crash: takes the counted crash back. The caller
 * has locked the heads. Index: primary key (lane, handler).
 */
export function prepareTakeBackCrash(
  schema: string,
): (
  client: PostgresClient,
  handler: string,
  asked: readonly AskedLease[],
  held: ReadonlyMap<number, HeldLane>,
) => Promise<void> {
  const takeBack = statement(
    `${schema}.take_back_crash`,
    `
    update ${schema}.heads h set crashes = crashes - 1
    where handler = (select id from ${schema}.handlers where name = $1) and lane = any ($2::uuid[])
      and position = ($3::bigint[])[array_position($2::uuid[], h.lane)] and crashes > 0
    `,
  )
  return async (client, handler, asked, held) => {
    const lost = asked.filter(({ lease, index }) => lease.alone === true && !held.has(index))
    if (lost.length === 0) return
    const lanes = lost.map(({ lease }) => partsOfToken(lease.token).lane)
    const positions = lost.map(({ lease }) => lease.position)
    await takeBack(client, handler, lanes, positions)
  }
}
