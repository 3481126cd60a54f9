import type { Lease } from '../../../model/lease.ts'
import type { Settled } from '../../../model/engine.ts'
import { FusewireError } from '../../../model/errors.ts'
import { partsOfToken } from '../lanes/lease-token.ts'
import { prepareSettle } from '../settle.ts'
import { execute, type PostgresClient, type PostgresSql, type Statement, statement } from '../sql.ts'
import type { Database } from '../storage/database.ts'
import { byIndex, transact } from './transact.ts'

/**
 * Runs an atomic handler in a transaction of its own, which also settles the lease. No lock is held while the handler runs. The lease is
 * checked before, so that a lost one runs nothing; and again under lock at the end, so that a handler that outlived its lease commits
 * nothing that another worker may commit, too.
 */
export function prepareRunAtomic(
  database: Database,
  schema: string,
): (lease: Lease, handle: (sql: PostgresSql) => unknown) => Promise<Settled> {
  const findHeld = prepareFindHeld(schema)
  const settle = prepareSettle(schema)

  /** Settles a lost lease, which changes nothing but takes back a crash that was counted against it. */
  async function settleLost(client: PostgresClient, lease: Lease): Promise<Settled> {
    const [settled = 'lost'] = await transact(client, begin, () =>
      settle(client, [{ lease, outcome: { kind: 'succeeded' } }]),
    )
    return settled
  }

  return (lease, handle) =>
    database.withConnection(async (client) => {
      const { lane, token } = partsOfToken(lease.token)
      const [held] = await findHeld(client, lease.handler, lane, token)
      if (held === undefined) return settleLost(client, lease)
      try {
        return await transact(client, begin, async () => {
          await runHandler(client, handle)
          await execute(client, byIndex)
          const [settled] = await settle(client, [{ lease, outcome: { kind: 'succeeded' } }])
          if (settled !== 'settled') throw leaseLost
          return settled
        })
      } catch (error) {
        if (error === leaseLost) return 'lost'
        throw error
      }
    })
}

/** Without `byIndex`: the statements that follow are the user's, whose plans are the planner's choice. */
const begin = 'begin isolation level read committed; set local synchronous_commit = on'

/** Thrown to roll back what a handler wrote when its lease was lost while it ran. */
const leaseLost = new Error('the lease was lost while the handler ran')

async function runHandler(client: PostgresClient, handle: (sql: PostgresSql) => unknown): Promise<void> {
  let ended = false
  const sql: PostgresSql = {
    async query(text, values) {
      if (ended) throw new FusewireError('FW_ATOMIC', 'An atomic handler used its sql after it had returned.')
      assertInside(text)
      return client.query(text, values)
    },
  }
  try {
    await handle(sql)
  } finally {
    ended = true
  }
}

/** Allows savepoints, and no other statement that begins or ends a transaction. */
function assertInside(text: string): void {
  if (
    !/^\s*(begin|start|commit|end|abort|rollback(?!\s+(work\s+|transaction\s+)?to)|prepare\s+transaction)\b/i.test(
      text,
    )
  )
    return
  throw new FusewireError(
    'FW_ATOMIC',
    'An atomic handler tried to begin or end a transaction. It runs inside the transaction that settles its delivery: return to commit, throw to roll back.',
  )
}

/** Index: primary key (lane, handler). */
function prepareFindHeld(schema: string): Statement<{ held: number }> {
  return statement(
    `${schema}.atomic_held`,
    `
    select 1 as held from ${schema}.heads h join ${schema}.handlers n on n.id = h.handler
    where n.name = $1 and h.lane = $2::uuid and h.token = $3::uuid
    `,
  )
}
