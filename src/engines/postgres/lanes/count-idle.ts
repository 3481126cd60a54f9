import { abandonAfterMs, type IdleHandler } from '../../../model/idle-handler.ts'
import { nodeOutlivesMs } from '../../../model/stats.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** Adds to the idle time of every handler that no node runs. A handler whose idle time reaches the limit is abandoned. */
export function prepareCountIdle(
  schema: string,
): (client: PostgresClient, ms: number) => Promise<readonly IdleHandler[]> {
  const count = statement<IdleHandler>(
    `${schema}.count_idle`,
    `
    with handler as materialized (
      select id, name, idle from ${schema}.handlers order by name for update
    ), counted as materialized (
      -- The beat of a node of version 1 does not reset the idle time, so the nodes' handlers are compared here.
      select id, case when exists (
        select from ${schema}.nodes n where n.seen > ${schema}.now() - ${nodeOutlivesMs} and handler.name = any (n.handlers)
      ) then 0 else idle + $1::bigint end as idle
      from handler
    )
    update ${schema}.handlers h
    set idle = c.idle,
      abandoned = case when c.idle >= ${abandonAfterMs} then coalesce(abandoned, ${schema}.now()) end
    from counted c where h.id = c.id
    returning h.name as handler, h.idle::float8 as "idleMs", abandoned is not null as abandoned
    `,
  )
  return async (client, ms) => {
    const handlers = await count(client, Math.round(ms))
    return handlers.toSorted((a, b) => (a.handler < b.handler ? -1 : 1))
  }
}

/** Resets the idle time of handlers that a process runs. In order of name, as subscribe writes them: another order would deadlock with it. */
export function prepareMarkRun(schema: string): Statement<never> {
  return statement(
    `${schema}.mark_run`,
    `
    with idle as materialized (
      select id from ${schema}.handlers
      where name = any ($1::text[]) and (idle <> 0 or abandoned is not null)
      order by name for update
    )
    update ${schema}.handlers h set idle = 0, abandoned = null where h.id = any (array (select id from idle))
    `,
  )
}
