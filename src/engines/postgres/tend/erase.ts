import type { ErasedStep } from '../../../model/erased-step.ts'
import type { Person } from '../../../model/person.ts'
import { refusalErased } from '../../../model/kept.ts'
import { prepareEndDeliveries } from '../lanes/end-deliveries.ts'
import { nameOf, type PostgresClient, type Statement, statement } from '../sql.ts'
import { prepareLockEvents } from '../write/lock-events.ts'
import { deleteFailing } from './delete-failing.ts'
import { prepareFindSetAsidePlaces } from './find-set-aside.ts'
import { prepareSearch } from './search.ts'

/** How many events one step takes. */
const stepLimit = 100

/**
 * One step of erasing everything that names a person, except the keys, inside the caller's transaction. `after` is `e` and a position for
 * events, then `a` and a place for what was set aside. Deliveries that have not ended end as `erased`: their leases are lost, and their lanes
 * go on.
 */
export function prepareErase(
  schema: string,
): (client: PostgresClient, person: Person, after?: string) => Promise<ErasedStep> {
  const search = prepareSearch(schema)
  const findSetAside = prepareFindSetAsidePlaces(schema)
  const lockEvents = prepareLockEvents(schema)
  const endWaiting = prepareEndWaiting(schema)
  const lockHeads = prepareLockHeads(schema)
  const endDeliveries = prepareEndDeliveries(schema)
  const blank = prepareBlank(schema)
  const forgetOrphans = prepareForgetOrphans(schema)
  const deleteSetAside = statement<{ one: number }>(
    `${schema}.erase_asides`,
    `delete from ${schema}.aside where place = any ($1::bigint[]) returning 1 as one`,
  )

  async function eraseEvents(
    client: PostgresClient,
    { userId, tenantId }: Person,
    after: string,
  ): Promise<ErasedStep> {
    const paging = { limit: stepLimit, order: 'oldest', ...(after !== '' && { after }) } as const
    const { items, next } = await search(client, { userId }, paging, ({ key }) => {
      return tenantId === undefined || key.tenantId === tenantId
    })
    const following = { next: next === undefined ? 'a' : `e${next}` }
    // While they are locked no replay can add a delivery to them.
    const locked = await lockEvents(
      client,
      items.map(({ place }) => place),
    )
    if (locked.length === 0) return { events: 0, deliveries: 0, ...following }
    const places = [locked.map(({ position }) => position), locked.map(({ created }) => created)]
    const { waiting, heads } = await endWaitingAndLockHeads(client, places)
    const positions = new Set(places[0])
    const own = heads.filter(({ position }) => positions.has(position))
    for (const [handler, of] of Map.groupBy(own, (head) => head.handler)) {
      await endDeliveries(
        client,
        handler,
        of.map(({ lane }) => lane),
        of.map(({ position }) => position),
        of.map(({ created }) => created),
        of.map(({ attempts }) => attempts),
        of.map(() => 'succeeded'),
        of.map(() => 'erased'),
        of.map(() => null),
      )
    }
    const buckets = [...new Set(locked.map(({ position }) => Math.floor(position / 65_536)))]
    await blank(client, ...places, buckets)
    return { events: locked.length, deliveries: waiting + own.length, ...following }
  }

  /**
   * Ends the deliveries of these events that are no heads, and locks the heads of their lanes. Meanwhile a claim may make such a delivery a
   * head, or park a head behind an older delivery. So both are repeated until nothing was ended between two locks of the same heads: then
   * the lanes cannot change any more.
   */
  async function endWaitingAndLockHeads(
    client: PostgresClient,
    places: readonly unknown[],
  ): Promise<{ readonly waiting: number; readonly heads: readonly Head[] }> {
    let waiting = 0
    let heads = await lockHeads(client, ...places)
    for (;;) {
      const ended = (await endWaiting(client, ...places)).length
      const now = await lockHeads(client, ...places)
      waiting += ended
      if (ended === 0 && textOf(now) === textOf(heads)) return { waiting, heads }
      heads = now
    }
  }

  return async (client, person, after = 'e') => {
    const place = after.slice(1)
    if (after.startsWith('e')) return eraseEvents(client, person, place)
    const kinds = ['conflict', 'stale', 'quarantined'] as const
    const from = place === '' ? undefined : place
    const { places, next } = await findSetAside(client, person, kinds, from, stepLimit)
    if (next === undefined) await forgetOrphans(client, nameOf(person.userId))
    const removed = places.length === 0 ? [] : await deleteSetAside(client, places)
    return { events: removed.length, deliveries: 0, ...(next !== undefined && { next: `a${next}` }) }
  }
}

/**
 * Deletes names without an event: one that was refused first and accepted later has a new position, and names at both. Index: primary key
 * (bucket, name, position, created).
 */
function prepareForgetOrphans(schema: string): Statement<never> {
  return statement(
    `${schema}.erase_orphans`,
    `
    delete from ${schema}.names n
    where n.bucket = any (array (select generate_series(0, (select last_value >> 16 from ${schema}.positions)::int)))
      and n.name = $1::uuid
      and not exists (select from ${schema}.events e where e.position = n.position and e.created = n.created)
    `,
  )
}

/** Ends deliveries in the intake and parked ones. Indexes: primary keys. */
function prepareEndWaiting(schema: string): Statement<{ one: number }> {
  return statement(
    `${schema}.erase_waiting`,
    `
    with intake as (
      delete from ${schema}.intake
      where handler = any (array (select id from ${schema}.handlers)) and position = any ($1::bigint[])
      returning handler, position, created
    ), lanes as materialized (
      select e.lane from unnest($1::bigint[], $2::bigint[]) as w (position, created)
      cross join lateral (
        select lane from ${schema}.events e where e.position = w.position and e.created = w.created limit 1
      ) e
    ), parked as (
      delete from ${schema}.parked
      where handler = any (array (select id from ${schema}.handlers))
        and lane = any (array (select lane from lanes)) and position = any ($1)
      returning handler, position, created
    )
    insert into ${schema}.finished (created, position, handler, attempts, reason)
    select created, position, handler, 0, 'erased' from (select * from intake union all select * from parked) w
    returning 1 as one
    `,
  )
}

interface Head {
  readonly handler: number
  readonly lane: string
  readonly position: number
  readonly created: number
  readonly attempts: number
}

function textOf(heads: readonly Head[]): string {
  return heads.map(({ handler, lane, position }) => `${handler}/${lane}/${position}`).join(' ')
}

/**
 * Locks the heads of the lanes of these events, whichever event they belong to. In order of handler name, then of lane: the order in which
 * claim and settle lock heads. Index: primary key (lane, handler).
 */
function prepareLockHeads(schema: string): Statement<Head> {
  return statement(
    `${schema}.erase_lock_heads`,
    `
    select h.handler, h.lane, h.position::float8, h.created::float8, h.attempts
    from ${schema}.heads h
    where h.lane = any (array (
      select l.lane from unnest($1::bigint[], $2::bigint[]) as w (position, created)
      cross join lateral (
        (select e.lane from ${schema}.events e where e.position = w.position and e.created = w.created limit 1)
        union all
        select ${schema}.own_lane(w.position)
      ) l
    ))
    order by (select name from ${schema}.handlers n where n.id = h.handler), h.lane
    for update of h
    `,
  )
}

/** Dead letters end as `erased`, too, because no body is left that a replay could deliver. Indexes: unique (position, created), primary keys. */
function prepareBlank(schema: string): Statement<never> {
  const these = `position = any ($1::bigint[]) and created = any ($2::bigint[])`
  return statement(
    `${schema}.erase`,
    `
    with dead as (
      delete from ${schema}.dead
      where handler = any (array (select id from ${schema}.handlers)) and position = any ($1)
      returning created, position, handler, attempts
    ), buried as (
      insert into ${schema}.finished (created, position, handler, attempts, reason)
      select created, position, handler, attempts, 'erased' from dead
    ), finished as (
      update ${schema}.finished set failures = null where ${these} and failures is not null
    ), named as (
      delete from ${schema}.names where bucket = any ($3::int[]) and ${these}
    ), no_longer_failing as (
      ${deleteFailing(schema, `select e.lane from ${schema}.events e where e.position = any ($1) and e.created = any ($2)`)}
    )
    update ${schema}.events
    set body = null, gone = 'erased', refused = case when refused is not null then '${refusalErased}' end, lane = null, trace = null,
      applications = '{}'
    where ${these} and gone is null
    `,
  )
}
