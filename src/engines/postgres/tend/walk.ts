import { asList } from '../../../lib/one-or-more.ts'
import type { Filter } from '../../../model/filter.ts'
import type { Paging } from '../../../model/tending.ts'
import { nameOf, type PostgresClient, statement } from '../sql.ts'
import type { Place } from './place.ts'

/** Returns the places of at most `limit` candidates behind a position, in order. Fewer than that: there are no more. */
export type Walk = (
  client: PostgresClient,
  after: number | undefined,
  order: NonNullable<Paging['order']>,
  limit: number,
) => Promise<readonly Place[]>

/** Chooses the index by which the fewest rows are read. The events that a walk returns are candidates: they may not fit the filter. */
export function prepareWalk(schema: string): (where: Filter) => Walk {
  const byId = inBuckets(schema, 'id', `${schema}.events where position >> 16 = b and id = $3`)
  const byName = inBuckets(schema, 'name', `${schema}.names where bucket = b and name = $3::uuid`)
  // Left to choose, the planner would read events in order of position until it meets enough of the type: all events, for a rare type.
  const byType = inOrder(
    schema,
    'types',
    (limited) =>
      `unnest($3::text[]) t cross join lateral (${limited(`${schema}.events where gone is null and type = t`)}) e`,
  )
  const dead = inOrder(
    schema,
    'dead',
    (limited) =>
      `(select distinct position, created from ${schema}.handlers h cross join lateral (${limited(`${schema}.dead where handler = h.id`)}) d) e`,
  )
  const waiting = inOrder(
    schema,
    'waiting',
    (limited) => `(
      select position, created from (${limited(`${schema}.heads where true`)}) h
      union select position, created from (${limited(`${schema}.parked where true`)}) p
      union select position, created from (${limited(`${schema}.intake where true`)}) i
    ) e`,
  )
  const all = inOrder(schema, 'all', (limited) => `(${limited(`${schema}.events where true`)}) e`)

  return ({ id, userId, state, type }) => {
    if (id !== undefined) return byId(id)
    if (userId !== undefined) return byName(nameOf(userId))
    const states = state === undefined ? [] : asList(state)
    if (states.length === 1 && states[0] === 'dead') return dead()
    if (states.length > 0 && states.every((one) => one === 'pending' || one === 'leased')) return waiting()
    return type === undefined ? all() : byType(asList(type))
  }
}

/**
 * Reads bucket by bucket, with one index lookup for each, which takes 2 us for a bucket without a match.
 *
 * @param from SQL for the rows of bucket `b` that match.
 */
function inBuckets(schema: string, name: string, from: string): (...given: readonly unknown[]) => Walk {
  const last = `(select last_value from ${schema}.positions)`
  return inBothOrders(`${schema}.walk_${name}`, (behind, order) => {
    const buckets =
      order === 'desc'
        ? `generate_series(least($1::bigint, ${last}) >> 16, 0, -1)`
        : `generate_series($1::bigint >> 16, ${last} >> 16)`
    return `
      select e.position::float8, e.created::float8 from ${buckets} b
      cross join lateral (
        select position, created from ${from} and position ${behind} $1
        order by position ${order} limit $2::int
      ) e
      limit $2
      `
  })
}

/** @param from SQL for the rows to read. `limited` makes a part of it that reads no more rows than needed. */
function inOrder(
  schema: string,
  name: string,
  from: (limited: (rows: string) => string) => string,
): (...given: readonly unknown[]) => Walk {
  return inBothOrders(`${schema}.walk_${name}`, (behind, order) => {
    const limited = (rows: string) =>
      `select position, created from ${rows} and position ${behind} $1 order by position ${order} limit $2::int`
    return `
      select e.position::float8, e.created::float8 from ${from(limited)} order by e.position ${order} limit $2
      `
  })
}

function inBothOrders(
  name: string,
  text: (behind: '<' | '>', order: 'desc' | 'asc') => string,
): (...given: readonly unknown[]) => Walk {
  const newest = statement<Place>(`${name}_newest`, text('<', 'desc'))
  const oldest = statement<Place>(`${name}_oldest`, text('>', 'asc'))
  return (...given) =>
    (client, after, order, limit) =>
      order === 'newest'
        ? newest(client, after ?? Number.MAX_SAFE_INTEGER, limit, ...given)
        : oldest(client, after ?? 0, limit, ...given)
}
