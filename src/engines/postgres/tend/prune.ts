import { type FusewireError, wrongOption } from '../../../model/errors.ts'
import {
  type Fate,
  fateOf,
  keysOutliveMs,
  prunableUntil,
  type ReceivedBefore,
  type Retention,
} from '../../../model/retention.ts'
import type { Pruned } from '../../../model/tending.ts'
import { deleteFailing } from './delete-failing.ts'
import { disorderMs, prepareFindPosition } from './find-position.ts'
import type { JudgedNow } from '../storage/judge-time.ts'
import { prepareLockEvents } from '../write/lock-events.ts'
import { prepareLoadEvents } from '../read/load-events.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Place } from './place.ts'

/** How many rows one step reads. */
const stepLimit = 500

/**
 * One step of pruning what is older than its retention, inside the caller's transaction. `after` is `e` and a position for events, oldest
 * first; then `a` and a place for what was set aside; then `u` for keys of events that no handler wanted; then `k` for all keys.
 */
export function preparePrune(
  schema: string,
  judgeTime: (client: PostgresClient) => Promise<JudgedNow>,
): (client: PostgresClient, what: Retention | ReceivedBefore, after?: string) => Promise<Pruned> {
  /** The judged time, epoch ms. Read once in each walk over the inbox, because a step takes only milliseconds. */
  let judgedAt = 0
  const findPosition = prepareFindPosition(schema)
  const findLive = prepareFindLive(schema)
  const load = prepareLoadEvents(schema)
  const lockEvents = prepareLockEvents(schema)
  const blank = prepareBlank(schema)
  const findSetAside = prepareFindSetAside(schema)
  const deleteSetAside = statement(
    `${schema}.prune_asides`,
    `delete from ${schema}.aside where place = any ($1::bigint[])`,
  )
  const deleteUnwanted = prepareDeleteUnwanted(schema)
  const deleteKeys = prepareDeleteKeys(schema)

  async function pruneEvents(
    client: PostgresClient,
    what: Retention | ReceivedBefore,
    now: number,
    after: number,
  ): Promise<Pruned> {
    const until = prunableUntil(what, now)
    const to = await findPosition(client, latestOf(what, until) + disorderMs)
    const places = await findLive(client, after, to, stepLimit)
    const candidates = await findOutlived(places)
    // Some may have been replayed before they were locked, so they are read again.
    const old = candidates.length === 0 ? [] : await findOutlived(await lockEvents(client, candidates))
    const blanked = old.length === 0 ? [] : await blank(client, ...columnsOf(old))
    const last = places.length === stepLimit ? places.at(-1) : undefined
    return { events: blanked.length, next: last === undefined ? 'a0' : `e${last.position}` }

    async function findOutlived(among: readonly Place[]): Promise<readonly Place[]> {
      const kept = await load(client, among, false)
      return among.filter(({ position }) => {
        const event = kept.get(position)
        return event !== undefined && event.receivedAt <= until(event.type, fateOf(event))
      })
    }
  }

  async function pruneSetAside(
    client: PostgresClient,
    what: Retention | ReceivedBefore,
    now: number,
    after: number,
  ): Promise<Pruned> {
    const until = prunableUntil(what, now)
    const rows = await findSetAside(client, after, stepLimit)
    const old = rows.filter(({ type, received }) => received <= until(type, 'aside'))
    if (old.length > 0)
      await deleteSetAside(
        client,
        old.map(({ place }) => place),
      )
    const last = rows.length === stepLimit ? rows.at(-1) : undefined
    return { events: old.length, next: last === undefined ? 'u' : `a${last.place}` }
  }

  return async (client, what, after = 'e0') => {
    if ('maxBytes' in what && what.maxBytes !== undefined && what.maxBytes !== Infinity) {
      throw maxBytesError()
    }
    if (after === 'e0' || judgedAt === 0) judgedAt = (await judgeTime(client)).at
    const now = judgedAt
    const place = Number(after.slice(1))
    if (after.startsWith('e')) return pruneEvents(client, what, now, place)
    if (after.startsWith('a')) return pruneSetAside(client, what, now, place)
    if (after === 'u') {
      const [step] = await deleteUnwanted(client, prunableUntil(what, now)('', 'unhandled'), stepLimit)
      return { events: 0, next: step?.keys === stepLimit ? 'u' : 'k' }
    }
    const rows = await deleteKeys(client, now - keysOutliveMs, stepLimit)
    return { events: 0, ...(rows.length === stepLimit && { next: 'k' }) }
  }
}

/** Deleted rows leave their space to new ones, or until their week is compacted, so the size of a table does not tell how much of it is free. */
export function maxBytesError(): FusewireError {
  return wrongOption(
    'retention.maxBytes',
    'maxBytes: an inbox on PostgreSQL is bounded by time alone. Leave it out, and keep events for a shorter time.',
  )
}

/** The latest time at which an event of any type and fate may have been received to be pruned, epoch ms. */
function latestOf(what: Retention | ReceivedBefore, until: (type: string, fate: Fate) => number): number {
  const types = 'receivedBefore' in what ? [''] : ['', ...Object.keys(what.types ?? {})]
  return Math.max(...types.flatMap((type) => [until(type, 'unhandled'), until(type, 'succeeded')]))
}

function columnsOf(places: readonly Place[]): readonly unknown[] {
  return [
    places.map(({ position }) => position),
    places.map(({ created }) => created),
    [...new Set(places.map(({ position }) => Math.floor(position / 65_536)))],
  ]
}

/** Reads type by type, because the index by type holds only events that have a body. Index: events_type. */
function prepareFindLive(schema: string): Statement<Place> {
  return statement(
    `${schema}.prune_live`,
    `
    with recursive types as (
      (select type from ${schema}.events where gone is null order by type limit 1)
      union all
      select (select e.type from ${schema}.events e where e.gone is null and e.type > t.type order by e.type limit 1)
      from types t where t.type is not null
    )
    select e.position::float8, e.created::float8
    from types t cross join lateral (
      select position, created from ${schema}.events
      where gone is null and type = t.type and position > $1::bigint and position < $2::bigint
      order by position limit $3::int
    ) e
    order by e.position limit $3
    `,
  )
}

/**
 * Removes bodies and deliveries of events that have no waiting delivery. Their keys stay, so that a resend is known. Of a refused event not
 * even the key stays, because the event may be sent again and accepted. Indexes: unique (position, created), primary keys.
 */
function prepareBlank(schema: string): Statement<{ one: number }> {
  const these = `position = any (array (select position from settled)) and created = any ($2::bigint[])`
  const handlers = `array (select id from ${schema}.handlers)`
  return statement(
    `${schema}.prune`,
    `
    with settled as materialized (
      select e.position, e.lane from ${schema}.events e
      where e.position = any ($1::bigint[]) and e.created = any ($2::bigint[]) and e.gone is null
        and not exists (
          select from ${schema}.intake i where i.handler = any (${handlers}) and i.position = e.position)
        and not exists (
          select from ${schema}.parked p
          where p.handler = any (${handlers}) and p.lane = e.lane and p.position = e.position)
        and not exists (
          select from ${schema}.heads h
          where h.lane in (e.lane, ${schema}.own_lane(e.position)) and h.handler = any (${handlers}) and h.position = e.position)
    ), finished as (
      delete from ${schema}.finished where ${these}
    ), dead as (
      delete from ${schema}.dead
      where handler = any (${handlers}) and position = any (array (select position from settled))
    ), named as (
      delete from ${schema}.names where bucket = any ($3::int[]) and ${these}
    ), no_longer_failing as (
      ${deleteFailing(schema, 'select lane from settled')}
    ), refused as (
      delete from ${schema}.events where ${these} and refused is not null
      returning 1 as one
    ), pruned as (
      update ${schema}.events set body = null, gone = 'pruned', lane = null, trace = null, applications = '{}'
      where ${these} and refused is null
      returning 1 as one
    )
    select one from refused union all select one from pruned
    `,
  )
}

/** Index: aside_place. */
function prepareFindSetAside(
  schema: string,
): Statement<{ readonly place: number; readonly type: string; readonly received: number }> {
  return statement(
    `${schema}.prune_find_asides`,
    `
    select a.place::float8, coalesce(type, '') as type, coalesce(received, kept)::float8 as received from ${schema}.aside a
    where a.place > $1::bigint order by a.place limit $2::int
    `,
  )
}

/** Deletes keys in order of arrival, up to the first that is not old enough. Indexes: primary key (position), unique (position, created). */
function prepareDeleteUnwanted(schema: string): Statement<{ keys: number }> {
  return statement(
    `${schema}.prune_unwanted`,
    `
    with old as materialized (
      select position, created
      from (select position, created, received from ${schema}.unwanted order by position limit $2::int) first
      where received <= $1::float8
    ), listed as (
      delete from ${schema}.unwanted where position = any (array (select position from old))
    ), keys as (
      delete from ${schema}.events
      where position = any (array (select position from old)) and created = any (array (select created from old)) and gone = 'unwanted'
    )
    select count(*)::float8 as keys from old
    `,
  )
}

/** Index: primary key (created, tenant, id). */
function prepareDeleteKeys(schema: string): Statement<{ one: number }> {
  return statement(
    `${schema}.prune_keys`,
    `
    delete from ${schema}.events
    where gone is not null and (created, tenant, id) in (
      select created, tenant, id from ${schema}.events
      where gone is not null and created < $1::bigint and (created <> 0 or received < $1)
      order by created limit $2::int
    )
    returning 1 as one
    `,
  )
}
