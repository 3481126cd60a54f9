import type { Lease } from '../../model/lease.ts'
import { groupByHandler, prepareLockHeldLanes } from './lanes/lock-held-lanes.ts'
import { prepareUncountCrash } from './lanes/uncount-crash.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/** Extends leases from now, inside the caller's transaction. */
export function prepareRenew(
  schema: string,
): (
  client: PostgresClient,
  leases: readonly Lease[],
  leaseMs: number,
) => Promise<readonly ('renewed' | 'lost')[]> {
  const lockHeldLanes = prepareLockHeldLanes(schema)
  const uncountCrash = prepareUncountCrash(schema)
  const extend = prepareExtend(schema)
  return async (client, leases, leaseMs) => {
    const renewed: ('renewed' | 'lost')[] = leases.map(() => 'lost')
    for (const [handler, asked] of groupByHandler(leases)) {
      const held = await lockHeldLanes(client, handler, asked)
      await uncountCrash(client, handler, asked, held)
      for (const index of held.keys()) renewed[index] = 'renewed'
      const heads = [...held.values()]
      const [head] = heads
      if (head === undefined) continue
      await extend(
        client,
        head.handler,
        heads.map(({ lane }) => lane),
        Math.ceil(leaseMs),
      )
    }
    return renewed
  }
}

/** Index: primary key (lane, handler). */
function prepareExtend(schema: string): Statement<never> {
  return statement(
    `${schema}.renew`,
    `
    update ${schema}.heads set due = (select ${schema}.now()) + $3::bigint
    where handler = $1 and lane = any ($2::uuid[])
    `,
  )
}
