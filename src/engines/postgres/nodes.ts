import { type Node, nodeOutlivesMs } from '../../model/stats.ts'
import type { Tending } from '../../model/tending.ts'
import { prepareMarkRun } from './lanes/count-idle.ts'
import { type PostgresClient, statement } from './sql.ts'
import type { Database } from './storage/database.ts'

/** The processes that work on this inbox, and which of them has which duty. Both tables are a few rows. Indexes: their primary keys. */
export function createNodes(database: Database, schema: string): Pick<Tending, 'beat' | 'leave' | 'hold'> {
  const upsert = statement(
    `${schema}.beat`,
    `
    with forgotten as (
      delete from ${schema}.nodes where seen < ${schema}.now() - ${10 * nodeOutlivesMs}
    )
    insert into ${schema}.nodes (id, host, pid, started, seen, handlers)
    values ($1, $2, $3::int, $4::bigint, ${schema}.now(), $5::text[])
    on conflict (id) do update set seen = excluded.seen, handlers = excluded.handlers
    `,
  )
  const markRun = prepareMarkRun(schema)
  const remove = statement(
    `${schema}.leave`,
    `with dropped as (delete from ${schema}.duties where node = $1) delete from ${schema}.nodes where id = $1`,
  )
  const holdDuty = statement<{ held: number }>(
    `${schema}.hold_duty`,
    `
    insert into ${schema}.duties as d (name, node, until) values ($1, $2, ${schema}.now() + $3::bigint)
    on conflict (name) do update set node = excluded.node, until = excluded.until
    where d.node = excluded.node or d.until <= ${schema}.now()
    returning 1 as held
    `,
  )
  return {
    async beat({ id, host, pid, startedAt, handlers }) {
      await database.use(async (client) => {
        await upsert(client, id, host, pid, Math.round(startedAt), handlers)
        await markRun(client, handlers)
      })
    },
    async leave(nodeId) {
      await database.use((client) => remove(client, nodeId))
    },
    async hold(duty, nodeId, forMs) {
      const rows = await database.use((client) => holdDuty(client, duty, nodeId, Math.ceil(forMs)))
      return rows.length > 0
    },
  }
}

interface NodeRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  readonly seenAt: number
  readonly handlers: readonly string[]
}

/** The nodes whose last beat is less than `nodeOutlivesMs` ago. */
export function prepareFindNodes(schema: string): (client: PostgresClient) => Promise<readonly Node[]> {
  return statement<NodeRow>(
    `${schema}.nodes`,
    `
    select id, host, pid, started::float8 as "startedAt", seen::float8 as "seenAt", handlers from ${schema}.nodes
    where seen > ${schema}.now() - ${nodeOutlivesMs}
    order by started, id
    `,
  )
}
