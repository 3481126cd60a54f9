import { asidesOf, type Filter, replayOf } from '../../../model/filter.ts'
import type { Replayed } from '../../../model/tending.ts'
import { prepareReplaySetAside } from './replay-set-aside.ts'
import { prepareSearch } from './find.ts'
import { prepareLockEvents } from '../write/lock-events.ts'
import { prepareLoadEvents } from '../read/load-events.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** How many events one step makes again. */
const stepLimit = 200

/**
 * A step of making deliveries pending again, oldest event first, inside the caller's transaction. They go through the intake, which admits in
 * order of place. What two people replay at the same time is made again once: by whoever takes the ended row.
 */
export function prepareReplay(
  schema: string,
): (client: PostgresClient, where: Filter, after?: string) => Promise<Replayed> {
  const scout = prepareSearch(schema)
  const lock = prepareLockEvents(schema)
  const load = prepareLoadEvents(schema)
  const restart = prepareRestart(schema)
  const make = prepareMakeMissing(schema)
  const accept = prepareAccept(schema)
  const replayAsides = prepareReplaySetAside(schema)

  return async (client, where, after) => {
    if (asidesOf(where).length > 0) return replayAsides(client, where, after)
    const paging = { limit: stepLimit, order: 'oldest', ...(after !== undefined && { after }) } as const
    const { items, next } = await scout(client, where, paging, (kept) => {
      const { ended, missing } = replayOf(kept, where)
      return ended.length > 0 || missing
    })
    // What was found may have been pruned, erased or replayed since: lock it, then ask again.
    const places = await lock(
      client,
      items.map(({ place }) => place),
    )
    const events = await load(client, places, false)
    const plans = places.flatMap((place) => {
      const kept = events.get(place.position)
      return kept === undefined ? [] : [{ place, ...replayOf(kept, where) }]
    })
    const ended = plans.flatMap((plan) =>
      plan.ended.map(({ handler, state }) => ({ ...plan.place, handler, state })),
    )
    const lacking = plans.filter(({ missing }) => missing).map(({ place }) => place)
    const columns = [lacking.map(({ position }) => position), lacking.map(({ created }) => created)]
    const restarted =
      ended.length === 0
        ? []
        : await restart(
            client,
            ended.map(({ position }) => position),
            ended.map(({ created }) => created),
            ended.map(({ handler }) => handler),
            ended.map(({ state }) => state),
          )
    const made = lacking.length === 0 ? [] : await make(client, ...columns, where.handler)
    if (made.length > 0) await accept(client, ...columns)
    return { deliveries: restarted.length + made.length, ...(next !== undefined && { next }) }
  }
}

/**
 * A person believes that it can succeed now: giving up starts anew, so its lane no longer fails. Indexes: primary keys, unique (position,
 * created).
 */
function prepareRestart(schema: string): Statement<{ made: number }> {
  return statement(
    `${schema}.replay`,
    `
    with wanted as materialized (
      select w.position, w.created, w.state, h.id as handler,
        case when h.ordered then coalesce(e.lane, ${schema}.own_lane(w.position)) else ${schema}.own_lane(w.position) end as lane
      from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as w (position, created, name, state)
      cross join lateral (
        select id, ordered from ${schema}.handlers where name = w.name and abandoned is null limit 1
      ) h
      cross join lateral (
        select lane from ${schema}.events e
        where e.position = w.position and e.created = w.created and e.body is not null limit 1
      ) e
    ), finished as (
      delete from ${schema}.finished f
      where f.position = any ($1) and f.created = any ($2)
        and exists (
          select from wanted w where w.position = f.position and w.handler = f.handler and w.state in ('succeeded', 'abandoned'))
      returning f.position, f.handler
    ), dead as (
      delete from ${schema}.dead d
      where d.handler = any (array (select handler from wanted)) and d.position = any ($1)
        and exists (select from wanted w where w.position = d.position and w.handler = d.handler and w.state = 'dead')
      returning d.position, d.handler
    ), taken as materialized (
      select w.* from wanted w
      where exists (select from finished f where f.position = w.position and f.handler = w.handler)
        or exists (select from dead d where d.position = w.position and d.handler = w.handler)
    ), calmed as (
      delete from ${schema}.failing f
      where f.lane = any (array (select lane from taken)) and exists (
        select from taken t where t.lane = f.lane and t.handler = f.handler
      )
    )
    insert into ${schema}.intake (handler, position, created, lane)
    select handler, position, created, lane from taken
    on conflict do nothing
    returning 1 as made
    `,
  )
}

/** For those handlers that want an event and never had it; for one alone, if it is named. Indexes: the same. */
function prepareMakeMissing(schema: string): Statement<{ made: number }> {
  return statement(
    `${schema}.replay_missing`,
    `
    insert into ${schema}.intake (handler, position, created, lane)
    select h.id, w.position, w.created, l.lane
    from unnest($1::bigint[], $2::bigint[]) as w (position, created)
    cross join lateral (
      select * from ${schema}.events e where e.position = w.position and e.created = w.created and e.body is not null limit 1
    ) e
    cross join ${schema}.handlers h
    cross join lateral (
      select case when h.ordered then coalesce(e.lane, ${schema}.own_lane(w.position)) else ${schema}.own_lane(w.position) end as lane
    ) l
    where ($3::text is null or h.name = $3) and h.abandoned is null
      and (h.types is null or e.type = any (h.types))
      and (h.tenants is null or e.tenant = any (h.tenants))
      and (h.applications is null or e.applications && h.applications)
      and not exists (
        select from ${schema}.finished f where f.position = w.position and f.handler = h.id and f.created = w.created)
      and not exists (select from ${schema}.dead d where d.handler = h.id and d.position = w.position)
      and not exists (
        select from ${schema}.parked p where p.handler = h.id and p.lane = l.lane and p.position = w.position)
      and not exists (
        select from ${schema}.heads d where d.lane = l.lane and d.handler = h.id and d.position = w.position)
    on conflict do nothing
    returning 1 as made
    `,
  )
}

/** A person overruled the gate that refused them. Index: unique (position, created). */
function prepareAccept(schema: string): Statement<never> {
  return statement(
    `${schema}.replay_accept`,
    `
    update ${schema}.events set refused = null
    where position = any ($1::bigint[]) and created = any ($2::bigint[]) and refused is not null
    `,
  )
}
