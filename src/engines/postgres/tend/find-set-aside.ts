import { type AsideRow, keptAsideOf } from '../../../model/event-row.ts'
import { asidesOf, type Filter, fits } from '../../../model/filter.ts'
import type { Aside, Kept } from '../../../model/kept.ts'
import { pageOf } from '../../../model/page-of.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { nameOf, type PostgresClient, type Statement, statement } from '../sql.ts'

/** Returns a page of the events that were set aside. They are few, so each row is read and compared with the filter. */
export function prepareFindSetAside(
  schema: string,
): (client: PostgresClient, where: Filter, paging: Paging) => Promise<Page<Kept>> {
  const newest = prepareSelect(schema, 'newest', '<', 'desc')
  const oldest = prepareSelect(schema, 'oldest', '>', 'asc')
  return async (client, where, { limit, after, order = 'newest', bodies = false }) => {
    const [find, start] = order === 'newest' ? [newest, Number.MAX_SAFE_INTEGER] : [oldest, 0]
    const { userId } = where
    const name = userId === undefined ? null : nameOf(userId)
    const rows = await find(client, asidesOf(where), userId, name, after ?? start, limit + 1, bodies)
    const page = pageOf(rows, limit, ({ place }) => place)
    const items = page.items.map((row) => keptAsideOf(row, row.body ?? undefined))
    return { ...page, items: items.filter((kept) => fits(kept, where)) }
  }
}

/** Returns the places of events that were set aside and fit a filter, oldest first. */
export function prepareFindSetAsidePlaces(
  schema: string,
): (
  client: PostgresClient,
  where: Filter,
  kinds: readonly Aside[],
  after: string | undefined,
  limit: number,
) => Promise<{ readonly places: readonly number[]; readonly next?: string }> {
  const find = prepareSelect(schema, 'oldest', '>', 'asc')
  return async (client, given, kinds, after, limit) => {
    const { handler, ...where } = given
    void handler // Names the handler that the events are delivered to, not one that had them.
    const { userId } = where
    const name = userId === undefined ? null : nameOf(userId)
    const rows = await find(client, kinds, userId, name, after ?? 0, limit + 1, false)
    const { items, ...page } = pageOf(rows, limit, ({ place }) => place)
    const fitting = items.filter((row) => fits(keptAsideOf(row, undefined), where))
    return { ...page, places: fitting.map(({ place }) => place) }
  }
}

interface FoundRow extends AsideRow {
  readonly place: number
  readonly body: Uint8Array | null
}

/** Quarantined bytes have no list of the users they name, so the bytes are searched for the user's id. Index: aside_place. */
function prepareSelect(
  schema: string,
  name: string,
  behind: '<' | '>',
  order: 'desc' | 'asc',
): Statement<FoundRow> {
  return statement(
    `${schema}.aside_${name}`,
    `
    select a.place::float8, kind, created::float8, tenant, coalesce(id, 'sha256:' || encode(hash, 'hex')) as id, type, source,
      received::float8, kept::float8, octet_length(body)::float8 as size, case when $6::boolean then body end as body
    from ${schema}.aside a
    where kind = any ($1::text[]) and a.place ${behind} $4::bigint and (
      $2::text is null or $3::uuid = any (names)
      or (kind = 'quarantined' and strpos(lower(encode(body, 'escape')), lower($2)) > 0)
    )
    order by a.place ${order} limit $5::int
    `,
  )
}
