import type { Stats } from '../../../model/stats.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

export function prepareCountStats(schema: string): (client: PostgresClient) => Promise<Stats> {
  const countEvents = prepareCountEvents(schema)
  const countHandlers = prepareCountHandlers(schema)
  return async (client) => {
    const [counted] = await countEvents(client)
    const handlers = await countHandlers(client)
    return {
      events: counted?.events ?? 0,
      handlers: handlers.map(({ handler, pending, dead, oldest, abandoned }) => ({
        handler,
        pending,
        dead,
        ...(oldest !== null && { oldestPendingAt: oldest }),
        ...(abandoned !== null && { abandonedAt: abandoned }),
      })),
    }
  }
}

/** Exact up to 100,000 events. Above, the planner's estimate, because counting ten million rows takes seconds. */
function prepareCountEvents(schema: string): Statement<{ events: number }> {
  return statement(
    `${schema}.count_events`,
    `
    select case when counted.events < 100000 then counted.events else greatest(counted.events, believed.events) end::float8 as events
    from (select count(*) as events from (select from ${schema}.events where gone is null limit 100000) e) counted,
      (select sum(greatest(reltuples, 0)) as events from pg_class c join pg_inherits i on i.inhrelid = c.oid
        where i.inhparent = '${schema}.events'::regclass) believed
    `,
  )
}

interface HandlerCounts {
  readonly handler: string
  readonly pending: number
  readonly dead: number
  readonly oldest: number | null
  readonly abandoned: number | null
}

/** The oldest is never a parked delivery, because the head of its lane is older. Indexes: primary keys, heads_due. */
function prepareCountHandlers(schema: string): Statement<HandlerCounts> {
  return statement(
    `${schema}.count_handlers`,
    `
    select n.name as handler, n.abandoned::float8, (i.count + p.count + h.count)::float8 as pending, d.count::float8 as dead,
      (select e.received from ${schema}.events e where e.position = o.position and e.created = o.created)::float8 as oldest
    from ${schema}.handlers n
    cross join lateral (select count(*) from ${schema}.intake where handler = n.id) i
    cross join lateral (select count(*) from ${schema}.parked where handler = n.id) p
    cross join lateral (select count(*) from ${schema}.heads where handler + 0 = n.id) h
    cross join lateral (select count(*) from ${schema}.dead where handler = n.id) d
    left join lateral (
      (select position, created from ${schema}.intake where handler = n.id order by position limit 1)
      union all
      (select position, created from ${schema}.heads where handler + 0 = n.id order by position limit 1)
      order by position limit 1
    ) o on true
    order by n.name
    `,
  )
}
