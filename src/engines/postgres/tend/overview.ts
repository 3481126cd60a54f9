import {
  type BlockedLane,
  type HandlerOverview,
  type Overview,
  type TypeOverview,
} from '../../../model/stats.ts'
import { prepareFindNodes } from '../nodes.ts'
import { prepareCountStats } from '../read/count-stats.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

const hourMs = 60 * 60_000
const blockedLimit = 20
/** Up to so many events are counted exactly. Above, a sample of about so many is counted. */
const countLimit = 100_000

export function prepareOverview(schema: string): (client: PostgresClient) => Promise<Overview> {
  const countStats = prepareCountStats(schema)
  const countTypes = prepareCountTypes(schema)
  const countRecent = prepareCountRecent(schema)
  const findBlocked = prepareFindBlocked(schema)
  const findNodes = prepareFindNodes(schema)
  const measure = prepareMeasure(schema)

  return async (client) => {
    const stats = await countStats(client)
    const nodes = await findNodes(client)
    const blocked = Map.groupBy(await findBlocked(client), ({ handler }) => handler)
    const recent = await countRecent(client)
    const [{ bytes, aside } = { bytes: 0, aside: 0 }] = await measure(client)
    return {
      ...stats,
      handlers: stats.handlers.map((one): HandlerOverview => ({
        ...one,
        abandoned: !nodes.some(({ handlers }) => handlers.includes(one.handler)),
        blocked: (blocked.get(one.handler) ?? []).map(laneOf),
      })),
      types: typesOf(await countTypes(client, samplePercent(stats.events)), recent),
      bytes,
      aside,
      nodes,
    }
  }
}

function samplePercent(events: number): number {
  return events < countLimit ? 100 : (countLimit / events) * 100
}

function typesOf(counts: readonly TypeCount[], recent: readonly TypeCount[]): readonly TypeOverview[] {
  const lastHour = new Map(recent.map(({ type, events }) => [type, events]))
  return counts.map(({ type, events }) => ({ type, events, lastHour: lastHour.get(type) ?? 0 }))
}

interface TypeCount {
  readonly type: string
  readonly events: number
}

function prepareCountTypes(schema: string): Statement<TypeCount> {
  return statement(
    `${schema}.count_types`,
    `
    select type, round(count(*) * 100 / $1::float8)::float8 as events
    from ${schema}.events tablesample system ($1::float8)
    where gone is null
    group by type order by 2 desc, type
    `,
  )
}

/** Counts the events of the last hour among the newest 100,000, and extrapolates if those span less than an hour. Index: unique (position, created). */
function prepareCountRecent(schema: string): Statement<TypeCount> {
  return statement(
    `${schema}.count_recent`,
    `
    with newest as materialized (
      select type, received from ${schema}.events e order by e.position desc limit ${countLimit}
    ), span as (
      select count(*) as events, greatest(${schema}.now() - min(received), 1) as ms from newest
    )
    select type,
      round(count(*) * case when s.events = ${countLimit} then greatest(1, ${hourMs} / s.ms::float8) else 1 end)::float8 as events
    from newest, span s
    where received > ${schema}.now() - ${hourMs}
    group by type, s.events, s.ms
    `,
  )
}

interface BlockedRow {
  readonly handler: string
  readonly lane: string | null
  readonly since: number
  readonly pending: number
}

/** Finds the lanes that failing deliveries hold, longest first. Indexes: heads_held, primary key of parked. */
function prepareFindBlocked(schema: string): Statement<BlockedRow> {
  return statement(
    `${schema}.blocked`,
    `
    select n.name as handler, b.lane, b.since::float8,
      (1 + (select count(*) from ${schema}.parked p where p.handler = n.id and p.lane = b.of))::float8 as pending
    from ${schema}.handlers n
    cross join lateral (
      select h.lane as of, h.held as since, case when h.lane <> ${schema}.own_lane(h.position) then h.lane end as lane
      from ${schema}.heads h
      where h.handler = n.id and h.held is not null
      order by h.held limit ${blockedLimit}
    ) b
    order by n.name, b.since
    `,
  )
}

function laneOf({ lane, since, pending }: BlockedRow): BlockedLane {
  return { ...(lane !== null && { lane }), since, pending }
}

function prepareMeasure(schema: string): Statement<{ bytes: number; aside: number }> {
  return statement(
    `${schema}.measure`,
    `
    select
      (select sum(pg_total_relation_size(oid)) from pg_class
        where relnamespace = '${schema}'::regnamespace and relkind = 'r')::float8 as bytes,
      (select count(*) from ${schema}.aside)::float8 as aside
    `,
  )
}
