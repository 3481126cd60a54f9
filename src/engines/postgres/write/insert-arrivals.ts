import type { Arrival } from '../../../model/arrival.ts'
import type { EventKey } from '../../../model/event-key.ts'
import { refusalErased } from '../../../model/kept.ts'
import { keysOutliveMs } from '../../../model/retention.ts'
import { arrayLiteral, nameOf, type PostgresClient, statement } from '../sql.ts'
import { fanOut, wantsEvent } from './fan-out.ts'
import { isErased } from './is-erased.ts'
import { durably } from './transact.ts'

/** What became of one arrival. An arrival without a row is known already, or stale. */
export interface InsertedRow {
  /** Index in the list of arrivals. */
  readonly place: number
  /**
   * `stored`: new, or refused before and accepted now, so that its position is behind those of events that were answered meanwhile.
   * `unwanted`: only its key was kept. `not kept`: no handler wants it and `ifUnwanted` is `nothing`; its key may be known.
   */
  readonly answer: 'stored' | 'unwanted' | 'not kept'
}

/**
 * Inserts arrivals of different keys, with their deliveries, in one statement: one round trip and one commit. Positions are numbered in order
 * of arrival; rows are written in order of key, or two batches with the same events in opposite order would deadlock. Index: primary key
 * (created, tenant, id).
 */
export function prepareInsertArrivals(
  schema: string,
): (client: PostgresClient, arrivals: readonly Arrival[], asNew: boolean) => Promise<readonly InsertedRow[]> {
  const insert = statement<InsertedRow>(
    `${schema}.append`,
    `
    with arrival as materialized (
      select a.created, a.tenant, a.id, a.type, a.source, a.received, a.lane, a.applications::text[] as applications,
        a.subjects::uuid[] as subjects, a.refused, a.trace, a.if_unwanted, a.ends, a.place,
        nextval('${schema}.positions') as position, lag(ends, 1, 0) over (order by place) as start
      from ${arrivalRows}
      where ${durably}
    ), judged as materialized (
      select a.*, case
          when ${isErased(schema, 'a')} then 'erased'
          when a.if_unwanted is not null and a.refused is null
            and not exists (select from ${schema}.handlers h where ${wantsEvent('a')}) then 'unwanted'
        end as gone,
        not $16::boolean and source = 'door' and created <> 0 and created < ${schema}.now() - ${keysOutliveMs} as stale -- like isStale of the model
      from arrival a
    ), inserted as (
      insert into ${schema}.events
        (created, position, received, lane, hash, tenant, id, type, source, refused, applications, trace, kept, body, gone)
      select created, position, received, case when gone is null then lane end,
        substring($14::bytea from (place::int - 1) * 32 + 1 for 32), tenant, id, type, source,
        case when gone is null or refused is null then refused else '${refusalErased}' end,
        case when gone is null then applications else '{}' end, case when gone is null then trace end, (select ${schema}.now()),
        case when gone is null then substring($15::bytea from start + 1 for ends - start) end, gone
      from judged
      where not stale and (coalesce(gone, '') <> 'unwanted' or if_unwanted = 'key')
      order by created, tenant collate "C", id collate "C"
      on conflict (created, tenant, id) do update
      set position = excluded.position, received = excluded.received, lane = excluded.lane, hash = excluded.hash,
        type = excluded.type, source = excluded.source, refused = null, applications = excluded.applications, trace = excluded.trace,
        kept = excluded.kept, body = excluded.body, gone = excluded.gone
      where events.refused is not null and excluded.refused is null
      returning position
    ), stored as materialized (
      select a.place, a.position, a.created, a.received, a.lane, ${schema}.own_lane(a.position) as own_lane,
        a.type, a.tenant, a.applications, a.subjects, a.refused, a.gone
      from inserted join judged a using (position)
    ), named as (
      insert into ${schema}.names (bucket, name, position, created)
      select position >> 16, unnest(subjects), position, created from stored where gone is null
    ), decided as (
      insert into ${schema}.unwanted (position, created, received)
      select position, created, received from stored where gone = 'unwanted'
    ), fanned as (
      ${fanOut(schema)}
      where s.refused is null and s.gone is null
    )
    select (place - 1)::float8 as place, case when gone = 'unwanted' then 'unwanted' else 'stored' end as answer from stored
    union all
    select (place - 1)::float8, 'not kept' from judged
    where gone = 'unwanted' and if_unwanted = 'nothing' and not stale
    `,
  )
  return (client, arrivals, asNew) => insert(client, ...columnsOf(arrivals), asNew)
}

export function keyColumnsOf(keys: readonly EventKey[]): readonly unknown[] {
  return [
    keys.map(({ createInstant }) => createInstant),
    keys.map(({ tenantId }) => tenantId),
    keys.map(({ id }) => id),
  ]
}

/**
 * All bodies travel as one value, which the statement cuts into pieces, and so do the hashes: `pg` would write an array of them in hex.
 * Lanes and subjects may be any text, so their hashes are sent.
 */
function columnsOf(arrivals: readonly Arrival[]): readonly unknown[] {
  let end = 0
  return [
    ...keyColumnsOf(arrivals.map(({ key }) => key)),
    arrivals.map(({ type }) => type),
    arrivals.map(({ source }) => source),
    arrivals.map(({ receivedAt }) => Math.round(receivedAt)),
    arrivals.map(({ lane }) => (lane === undefined ? undefined : nameOf(lane))),
    arrivals.map(({ applicationIds }) => arrayLiteral(applicationIds)),
    arrivals.map(({ subjects }) => arrayLiteral([...new Set(subjects)].map(nameOf))),
    arrivals.map(({ refused }) => refused),
    arrivals.map(({ trace }) => trace),
    arrivals.map(({ ifUnwanted }) => ifUnwanted),
    arrivals.map(({ body }) => (end += body.length)),
    Buffer.concat(arrivals.map((arrival) => arrival.hash)),
    Buffer.concat(arrivals.map(({ body }) => body)),
  ]
}

/** The parameters of `columnsOf` as a table, in the same order. */
const arrivalRows = `
  unnest(
    $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[],
    $12::text[], $13::int[]
  ) with ordinality
  as a (created, tenant, id, type, source, received, lane, applications, subjects, refused, trace, if_unwanted, ends, place)`
