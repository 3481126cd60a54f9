import { asidesOf, type Filter, replayOf } from '../../../model/filter.ts'
import type { Replayed } from '../../../model/tending.ts'
import { prepareReplaySetAside } from './replay-set-aside.ts'
import { prepareSearch } from './search.ts'
import { wantsEvent } from '../write/fan-out.ts'
import { prepareLockEvents } from '../write/lock-events.ts'
import { prepareLoadEvents } from '../read/load-events.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** How many events one step replays. */
const stepLimit = 200

/**
 * One step of making deliveries pending again, oldest event first, inside the caller's transaction. They enter the intake, out of which claim
 * admits them in order of position. When two people replay a delivery at the same time, it is made again once: by the transaction that
 * deletes the row of the ended delivery.
 */
export function prepareReplay(
  schema: string,
): (client: PostgresClient, where: Filter, after?: string) => Promise<Replayed> {
  const search = prepareSearch(schema)
  const lockEvents = prepareLockEvents(schema)
  const load = prepareLoadEvents(schema)
  const restart = prepareRestart(schema)
  const insertMissing = prepareInsertMissing(schema)
  const accept = prepareAccept(schema)
  const replayAsides = prepareReplaySetAside(schema)

  return async (client, where, after) => {
    if (asidesOf(where).length > 0) return replayAsides(client, where, after)
    const paging = { limit: stepLimit, order: 'oldest', ...(after !== undefined && { after }) } as const
    const { items, next } = await search(client, where, paging, (kept) => {
      const { ended, missing } = replayOf(kept, where)
      return ended.length > 0 || missing
    })
    // Some may have been pruned, erased or replayed before they were locked, so they are read again.
    const places = await lockEvents(
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
    const made = lacking.length === 0 ? [] : await insertMissing(client, ...columns, where.handler)
    if (made.length > 0) await accept(client, ...columns)
    return { deliveries: restarted.length + made.length, ...(next !== undefined && { next }) }
  }
}

/**
 * Makes ended deliveries pending, as if never attempted, and ends the failing time of their lanes, which older versions store. Indexes:
 * primary keys, unique (position, created).
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

/** Inserts deliveries for handlers that want an event and have none of it; only for the named handler, if there is one. Indexes: primary keys, unique (position, created). */
function prepareInsertMissing(schema: string): Statement<{ made: number }> {
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
    where ($3::text is null or h.name = $3) and ${wantsEvent('e')}
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

/** Accepts events that a gate refused: the person who replays them overrules the gate. Index: unique (position, created). */
function prepareAccept(schema: string): Statement<never> {
  return statement(
    `${schema}.replay_accept`,
    `
    update ${schema}.events set refused = null
    where position = any ($1::bigint[]) and created = any ($2::bigint[]) and refused is not null
    `,
  )
}
