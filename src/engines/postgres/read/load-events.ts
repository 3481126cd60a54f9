import type { DeliveryState } from '../../../model/delivery-state.ts'
import { type KeptDeliveryRow, keptDeliveryOf, keptOf, type KeptRow } from '../../../model/event-row.ts'
import type { Kept } from '../../../model/kept.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Place } from '../tend/place.ts'

/** Returns the events at these places with their deliveries, by position. Bodies are read only if they are asked for. */
export function prepareLoadEvents(
  schema: string,
): (client: PostgresClient, places: readonly Place[], bodies: boolean) => Promise<ReadonlyMap<number, Kept>> {
  const findEvents = prepareFindEvents(schema)
  const findDeliveries = prepareFindDeliveries(schema)
  return async (client, places, bodies) => {
    const columns = [places.map(({ position }) => position), places.map(({ created }) => created)]
    const events = await findEvents(client, ...columns, bodies)
    const rows = await findDeliveries(
      client,
      events.map(({ position }) => position),
      events.map(({ created }) => created),
      events.map(({ lane }) => lane),
    )
    const deliveries = Map.groupBy(rows, ({ at }) => at)
    return new Map(
      events.map((row) => {
        const ofEvent = deliveries.get(row.position) ?? []
        const kept = ofEvent.map((delivery) => keptDeliveryOf(delivery, delivery.state))
        return [row.position, keptOf(row, row.body ?? undefined, kept)]
      }),
    )
  }
}

interface FoundRow extends KeptRow {
  readonly position: number
  readonly lane: string | null
  readonly body: Uint8Array | null
}

/** Index: unique (position, created). */
function prepareFindEvents(schema: string): Statement<FoundRow> {
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

interface DeliveryRow extends KeptDeliveryRow {
  /** Position of its event. */
  readonly at: number
  readonly state: DeliveryState
}

/** One index lookup in each table for each event and handler. Indexes: their primary keys. */
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
