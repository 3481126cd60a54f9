import type { DeliveryState } from '../../../model/delivery-state.ts'
import type { Failure } from '../../../model/outcome.ts'
import type { Copy, Source } from '../../../model/arrival.ts'
import type { EventKey } from '../../../model/event-key.ts'
import type { Gone, Kept, KeptDelivery } from '../../../model/kept.ts'
import type { Stats } from '../../../model/stats.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Place } from '../tend/walk.ts'

/** Indexes: primary keys (created, tenant, id), (hash). */
export function prepareFindKnown(
  schema: string,
): (client: PostgresClient, copies: readonly Copy[]) => Promise<readonly boolean[]> {
  const find = statement<{ known: boolean }>(
    `${schema}.known`,
    `
    select exists (
      select from ${schema}.events e
      where e.created = k.created and e.tenant = k.tenant and e.id = k.id and e.hash = decode(k.hash, 'hex') and e.refused is null
    ) or exists (
      select from ${schema}.aside a where a.hash = decode(k.hash, 'hex') and a.accepted
    ) as known
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) with ordinality as k (created, tenant, id, hash, place)
    order by place
    `,
  )
  return async (client, copies) => {
    const rows = await find(
      client,
      copies.map(({ key }) => key.createInstant),
      copies.map(({ key }) => key.tenantId),
      copies.map(({ key }) => key.id),
      copies.map(({ hash }) => Buffer.from(hash).toString('hex')),
    )
    return rows.map(({ known }) => known)
  }
}

export function prepareGetEvent(
  schema: string,
): (client: PostgresClient, key: EventKey) => Promise<Kept | undefined> {
  const findPlace = statement<Place>(
    `${schema}.get`,
    `
    select position::float8, created::float8 from ${schema}.events where created = $1 and tenant = $2 and id = $3
    `,
  )
  const load = prepareLoadEvents(schema)
  return async (client, key) => {
    const [place] = await findPlace(client, key.createInstant, key.tenantId, key.id)
    if (place === undefined) return undefined
    return (await load(client, [place], true)).get(place.position)
  }
}

/** The events at these places, by their position, with their deliveries; without their bodies, if these are not asked for. */
export function prepareLoadEvents(
  schema: string,
): (client: PostgresClient, places: readonly Place[], bodies: boolean) => Promise<ReadonlyMap<number, Kept>> {
  const findEvents = prepareFindEvents(schema)
  const findDeliveries = prepareFindDeliveries(schema)
  return async (client, places, bodies) => {
    const columns = [places.map(({ position }) => position), places.map(({ created }) => created)]
    const events = await findEvents(client, ...columns, bodies)
    const deliveries = Map.groupBy(
      await findDeliveries(
        client,
        events.map(({ position }) => position),
        events.map(({ created }) => created),
        events.map(({ lane }) => lane),
      ),
      ({ at }) => at,
    )
    return new Map(events.map((row) => [row.position, keptOf(row, deliveries.get(row.position) ?? [])]))
  }
}

interface EventRow {
  readonly position: number
  readonly created: number
  readonly tenant: string
  readonly id: string
  readonly lane: string | null
  readonly type: string
  readonly source: Source
  readonly received: number
  readonly kept: number
  readonly size: number
  readonly body: Uint8Array | null
  readonly gone: Gone | null
  readonly refused: string | null
}

/** Index: unique (position, created). */
function prepareFindEvents(schema: string): Statement<EventRow> {
  return statement(
    `${schema}.load`,
    `
    select e.position::float8, e.created::float8, e.tenant, e.id, e.lane, e.type, e.source, e.received::float8, e.kept::float8,
      coalesce(octet_length(e.body), 0)::float8 as size, case when $3::boolean then e.body end as body, e.gone, e.refused
    from unnest($1::bigint[], $2::bigint[]) as p (position, created)
    cross join lateral (
      select * from ${schema}.events e where e.position = p.position and e.created = p.created limit 1
    ) e
    `,
  )
}

interface DeliveryRow {
  readonly at: number
  readonly handler: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly reason: string | null
  readonly failures: string | null
}

/** One look into each table for each event and handler. Indexes: their primary keys. */
function prepareFindDeliveries(schema: string): Statement<DeliveryRow> {
  return statement(
    `${schema}.load_deliveries`,
    `
    select p.position::float8 as at, n.name as handler, d.*
    from unnest($1::bigint[], $2::bigint[], $3::uuid[]) as p (position, created, lane)
    cross join ${schema}.handlers n
    cross join lateral (
      select 'pending' as state, 0 as attempts, null as reason, null as failures
      from ${schema}.intake where handler = n.id and position = p.position
      union all
      select 'pending', 0, null, null
      from ${schema}.parked where handler = n.id and lane = p.lane and position = p.position
      union all
      select case when token is null then 'pending' else 'leased' end, attempts, null, failures
      from ${schema}.heads
      where lane in (p.lane, ${schema}.own_lane(p.position)) and handler = n.id and position = p.position
      union all
      select case when reason = 'abandoned' then reason else 'succeeded' end, attempts, reason, failures
      from ${schema}.finished where position = p.position and handler = n.id and created = p.created
      union all
      select 'dead', attempts, reason, failures
      from ${schema}.dead where handler = n.id and position = p.position
    ) d
    order by p.position, n.id
    `,
  )
}

function keptOf(row: EventRow, deliveries: readonly DeliveryRow[]): Kept {
  return {
    key: { createInstant: row.created, tenantId: row.tenant, id: row.id },
    type: row.type,
    source: row.source,
    receivedAt: row.received,
    keptAt: row.kept,
    size: row.size,
    ...(row.body !== null && { body: row.body }),
    ...(row.gone !== null && { gone: row.gone }),
    ...(row.refused !== null && { refused: row.refused }),
    deliveries: deliveries.map(keptDelivery),
  }
}

function keptDelivery({ handler, state, attempts, reason, failures }: DeliveryRow): KeptDelivery {
  const kept: readonly Failure[] = failures === null ? [] : JSON.parse(failures) // Written by settle, and nowhere else.
  return { handler, state, attempts, ...(reason !== null && { reason }), failures: kept }
}

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

/** Exact up to 100,000, what the planner believes beyond: to count ten million takes seconds. */
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

/** What is parked is younger than its head, so it has not the oldest. Indexes: primary keys, heads_due. */
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
