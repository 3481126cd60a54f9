import { FusewireError } from '../../../model/errors.ts'
import {
  type Fate,
  fateOf,
  keysOutliveMs,
  prunableUntil,
  type ReceivedBefore,
  type Retention,
} from '../../../model/retention.ts'
import type { Pruned } from '../../../model/tending.ts'
import { deleteFailing } from './erase.ts'
import { disorderMs, prepareFindPosition } from './find.ts'
import type { JudgedNow } from '../storage/judge-time.ts'
import { prepareLockEvents } from '../write/lock-events.ts'
import { prepareLoadEvents } from '../read/load-events.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Place } from './walk.ts'

/** How many rows one step looks at. */
const stepLimit = 500

/**
 * A step of taking away what has outlived its retention, inside the caller's transaction: events oldest first (`e` and a position), then
 * what was set aside (`a`), then keys of events that no handler wanted (`u`), then all keys (`k`).
 */
export function preparePrune(
  schema: string,
  judge: (client: PostgresClient) => Promise<JudgedNow>,
): (client: PostgresClient, what: Retention | ReceivedBefore, after?: string) => Promise<Pruned> {
  /** Asked for once in each walk over the inbox, of which a step takes milliseconds. */
  let judged = 0
  const positionAt = prepareFindPosition(schema)
  const findLive = prepareFindLive(schema)
  const load = prepareLoadEvents(schema)
  const lock = prepareLockEvents(schema)
  const blank = prepareBlank(schema)
  const findAsides = prepareFindSetAside(schema)
  const deleteAsides = statement(
    `${schema}.prune_asides`,
    `delete from ${schema}.aside where place = any ($1::bigint[])`,
  )
  const deleteUnwanted = prepareDeleteUnwanted(schema)
  const deleteKeys = prepareDeleteKeys(schema)

  async function events(
    client: PostgresClient,
    what: Retention | ReceivedBefore,
    now: number,
    after: number,
  ): Promise<Pruned> {
    const until = prunableUntil(what, now)
    const to = await positionAt(client, latestOf(what, until) + disorderMs)
    const places = await findLive(client, after, to, stepLimit)
    const candidates = await outlived(client, places)
    // They may have been replayed meanwhile: ask again now that they are locked.
    const old = candidates.length === 0 ? [] : await outlived(client, await lock(client, candidates))
    const blanked = old.length === 0 ? [] : await blank(client, ...columnsOf(old))
    const last = places.length === stepLimit ? places.at(-1) : undefined
    return { events: blanked.length, next: last === undefined ? 'a0' : `e${last.position}` }

    async function outlived(by: PostgresClient, among: readonly Place[]): Promise<readonly Place[]> {
      const kept = await load(by, among, false)
      return among.filter(({ position }) => {
        const event = kept.get(position)
        return event !== undefined && event.receivedAt <= until(event.type, fateOf(event))
      })
    }
  }

  async function asides(
    client: PostgresClient,
    what: Retention | ReceivedBefore,
    now: number,
    after: number,
  ): Promise<Pruned> {
    const until = prunableUntil(what, now)
    const rows = await findAsides(client, after, stepLimit)
    const old = rows.filter(({ type, received }) => received <= until(type, 'aside'))
    if (old.length > 0)
      await deleteAsides(
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
    if (after === 'e0' || judged === 0) judged = (await judge(client)).at
    const now = judged
    const place = Number(after.slice(1))
    if (after.startsWith('e')) return events(client, what, now, place)
    if (after.startsWith('a')) return asides(client, what, now, place)
    if (after === 'u') {
      const [step] = await deleteUnwanted(client, prunableUntil(what, now)('', 'unhandled'), stepLimit)
      return { events: 0, next: step?.keys === stepLimit ? 'u' : 'k' }
    }
    const rows = await deleteKeys(client, now - keysOutliveMs, stepLimit)
    return { events: 0, ...(rows.length === stepLimit && { next: 'k' }) }
  }
}

/** Rows that go leave their space to be used again, or until their week is dropped: what is measured would not tell what is free. */
export function maxBytesError(): FusewireError {
  return new FusewireError(
    'FW_OPTION',
    'maxBytes: an inbox on PostgreSQL is bounded by time alone. Leave it out, and keep events for a shorter time.',
  )
}

/** The latest receipt of anything that may go. */
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

/** Type by type, so that what is gone is not walked over. Index: events_type. */
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
 * The key stays, so that a resend is known; a refused event may still come again and be accepted, so it leaves nothing. Events that a
 * handler still waits for stay whole. Indexes: unique (position, created), primary keys.
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

/** In order of arrival, up to the first that may not go yet. Indexes: primary key (position), unique (position, created). */
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
