import type { Lease } from '../../../model/lease.ts'
import type { Settled } from '../../../model/engine.ts'
import { FusewireError } from '../../../model/errors.ts'
import type { Database } from '../storage/database.ts'
import { prepareSettle } from '../settle.ts'
import { execute, type PostgresClient, type PostgresSql, type Statement, statement } from '../sql.ts'
import { byIndex, transact } from './transact.ts'

/**
 * Runs an atomic handler in a transaction of its own, which settles the lease at its end. No lock is held while the handler runs: whether the
 * lease still holds is asked before, so that a lost one runs nothing, and under lock after, so that a slow handler commits nothing once
 * somebody else may.
 */
export function prepareRunAtomic(
  database: Database,
  schema: string,
): (lease: Lease, handle: (sql: PostgresSql) => unknown) => Promise<Settled> {
  const isHeld = prepareFindHeld(schema)
  const settle = prepareSettle(schema)

  /** Runs nothing, and takes back a crash that was counted against the lease. */
  async function settleLost(client: PostgresClient, lease: Lease): Promise<Settled> {
    const [settled = 'lost'] = await transact(client, begin, () =>
      settle(client, [{ lease, outcome: { kind: 'succeeded' } }]),
    )
    return settled
  }

  return (lease, handle) =>
    database.once(async (client) => {
      const [lane, token] = lease.token.split('/')
      const [held] = await isHeld(client, lease.handler, lane, token)
      if (held === undefined) return settleLost(client, lease)
      try {
        return await transact(client, begin, async () => {
          await runHandler(client, handle)
          await execute(client, byIndex)
          const [settled] = await settle(client, [{ lease, outcome: { kind: 'succeeded' } }])
          if (settled !== 'settled') throw lost
          return settled
        })
      } catch (error) {
        if (error === lost) return 'lost'
        throw error
      }
    })
}

/** The planner is left as it is: the statements to come are the user's. */
const begin = 'begin isolation level read committed; set local synchronous_commit = on'

/** Undoes what a handler wrote when its lease ran out meanwhile. */
const lost = new Error('the lease was lost while the handler ran')

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

/** Savepoints are the handler's own business; the transaction is not. */
function assertInside(text: string): void {
  if (
    !/^\s*(begin|start|commit|end|abort|rollback(?!\s+(work\s+|transaction\s+)?to)|prepare\s+transaction)\b/i.test(
      text,
    )
  )
    return
  throw new FusewireError(
    'FW_ATOMIC',
    'An atomic handler tried to begin or end a transaction. It runs inside the one that settles its delivery: return to commit, throw to undo.',
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
