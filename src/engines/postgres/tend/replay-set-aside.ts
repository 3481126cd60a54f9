import { asidesOf, type Filter } from '../../../model/filter.ts'
import type { Replayed } from '../../../model/tending.ts'
import { prepareFindSetAsidePlaces } from './find-set-aside.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import { fanOut } from '../write/fan-out.ts'

/** How many events one step delivers. */
const stepLimit = 100

/**
 * One step of delivering events that were set aside, inside the caller's transaction. Each becomes an event of its own. Its id is the hash
 * of its body, because another event has its key.
 */
export function prepareReplaySetAside(
  schema: string,
): (client: PostgresClient, where: Filter, after?: string) => Promise<Replayed> {
  const findPlaces = prepareFindSetAsidePlaces(schema)
  const take = prepareTakeSetAside(schema)
  return async (client, where, after) => {
    const { places, next } = await findPlaces(client, where, asidesOf(where), after, stepLimit)
    const [taken] = places.length === 0 ? [] : await take(client, places, where.handler)
    return { deliveries: taken?.deliveries ?? 0, ...(next !== undefined && { next }) }
  }
}

/** Indexes: aside_place, primary key (created, tenant, id). */
function prepareTakeSetAside(schema: string): Statement<{ deliveries: number }> {
  return statement(
    `${schema}.replay_asides`,
    `
    with taken as (
      delete from ${schema}.aside where place = any ($1::bigint[]) returning *
    ), placed as materialized (
      select *, nextval('${schema}.positions') as position from taken
    ), inserted as (
      insert into ${schema}.events
        (created, position, received, lane, hash, tenant, id, type, source, applications, trace, kept, body)
      select coalesce(created, 0), position, coalesce(received, kept), lane, hash, coalesce(tenant, ''),
        'sha256:' || encode(hash, 'hex'), coalesce(type, ''), 'manual', coalesce(applications, '{}'), trace, ${schema}.now(), body
      from placed
      on conflict (created, tenant, id) do nothing
      returning position, created, lane, type, tenant, applications, ${schema}.own_lane(position) as own_lane
    ), stored as materialized (
      select * from inserted
    ), named as (
      insert into ${schema}.names (bucket, name, position, created)
      select p.position >> 16, unnest(p.names), p.position, coalesce(p.created, 0) from placed p
      where p.position = any (array (select position from stored))
    ), fanned as (
      ${fanOut(schema)}
      where $2::text is null or h.name = $2
      returning 1
    )
    select count(*)::float8 as deliveries from fanned
    `,
  )
}
