import type { DeliveryState, Failure } from '../../model/delivery.ts'
import type { EventKey, Source } from '../../model/event.ts'
import type { Kept, KeptDelivery } from '../../model/kept.ts'
import type { Stats } from '../../model/stats.ts'
import { type PostgresClient, type Statement, statement } from './sql.ts'

/** Index: primary key (created, tenant, id). */
export function knowing(
  schema: string,
): (client: PostgresClient, keys: readonly EventKey[]) => Promise<readonly boolean[]> {
  const find = statement<{ known: boolean }>(
    `${schema}.known`,
    `
    select exists (
      select from ${schema}.events e
      where e.created = k.created and e.tenant = k.tenant and e.id = k.id and e.refused is null
    ) as known
    from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality as k (created, tenant, id, place)
    order by place
    `,
  )
  return async (client, keys) => {
    const rows = await find(
      client,
      keys.map(({ createInstant }) => createInstant),
      keys.map(({ tenantId }) => tenantId),
      keys.map(({ id }) => id),
    )
    return rows.map(({ known }) => known)
  }
}

export function getting(
  schema: string,
): (client: PostgresClient, key: EventKey) => Promise<Kept | undefined> {
  const findEvent = findingEvent(schema)
  const findDeliveries = findingDeliveries(schema)
  return async (client, key) => {
    const [event] = await findEvent(client, key.createInstant, key.tenantId, key.id)
    if (event === undefined) return undefined
    const deliveries = await findDeliveries(client, event.position, key.createInstant, event.lane)
    return {
      key,
      type: event.type,
      source: event.source,
      receivedAt: event.received,
      size: event.body.length,
      body: event.body,
      ...(event.refused !== null && { refused: event.refused }),
      deliveries: deliveries.map(keptDelivery),
    }
  }
}

interface EventRow {
  readonly position: number
  readonly lane: string | null
  readonly type: string
  readonly source: Source
  readonly received: number
  readonly body: Uint8Array
  readonly refused: string | null
}

/** Index: primary key (created, tenant, id). */
function findingEvent(schema: string): Statement<EventRow> {
  return statement(
    `${schema}.get`,
    `
    select position::float8, lane, type, source, received::float8, body, refused
    from ${schema}.events where created = $1 and tenant = $2 and id = $3
    `,
  )
}

interface DeliveryRow {
  readonly handler: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly reason: string | null
  readonly failures: string | null
}

/** One look into each table for each handler. Indexes: their primary keys. */
function findingDeliveries(schema: string): Statement<DeliveryRow> {
  return statement(
    `${schema}.get_deliveries`,
    `
    select n.name as handler, d.*
    from ${schema}.handlers n
    cross join lateral (
      select 'pending' as state, 0 as attempts, null as reason, null as failures
      from ${schema}.intake where handler = n.id and position = $1
      union all
      select 'pending', 0, null, null
      from ${schema}.parked where handler = n.id and lane = $3::uuid and position = $1
      union all
      select case when token is null then 'pending' else 'leased' end, attempts, null, failures
      from ${schema}.heads
      where lane in ($3::uuid, ${schema}.own_lane($1)) and handler = n.id and position = $1
      union all
      select 'succeeded', attempts, reason, failures
      from ${schema}.finished where position = $1 and handler = n.id and created = $2
      union all
      select 'dead', attempts, reason, failures
      from ${schema}.dead where handler = n.id and position = $1
    ) d
    order by n.id
    `,
  )
}

function keptDelivery({ handler, state, attempts, reason, failures }: DeliveryRow): KeptDelivery {
  const kept: readonly Failure[] = failures === null ? [] : JSON.parse(failures) // Written by settle, and nowhere else.
  return { handler, state, attempts, ...(reason !== null && { reason }), failures: kept }
}

export function counting(schema: string): (client: PostgresClient) => Promise<Stats> {
  const countEvents = countingEvents(schema)
  const countHandlers = countingHandlers(schema)
  return async (client) => {
    const [counted] = await countEvents(client)
    const handlers = await countHandlers(client)
    return {
      events: counted?.events ?? 0,
      handlers: handlers.map(({ handler, pending, dead, oldest }) => ({
        handler,
        pending,
        dead,
        ...(oldest !== null && { oldestPendingAt: oldest }),
      })),
    }
  }
}

/** Exact up to 100,000, what the planner believes beyond: to count ten million takes seconds. */
function countingEvents(schema: string): Statement<{ events: number }> {
  return statement(
    `${schema}.count_events`,
    `
    select case when counted.events < 100000 then counted.events else greatest(counted.events, believed.events) end::float8 as events
    from (select count(*) as events from (select from ${schema}.events limit 100000) e) counted,
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
}

/** What is parked is younger than its head, so it has not the oldest. Indexes: primary keys, heads_due. */
function countingHandlers(schema: string): Statement<HandlerCounts> {
  return statement(
    `${schema}.count_handlers`,
    `
    select n.name as handler, (i.count + p.count + h.count)::float8 as pending, d.count::float8 as dead,
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
