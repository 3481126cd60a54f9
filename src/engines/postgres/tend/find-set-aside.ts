import { asidesOf, type Filter, fits } from '../../../model/filter.ts'
import type { Aside, Kept } from '../../../model/kept.ts'
import type { Source } from '../../../model/arrival.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { nameOf, type PostgresClient, type Statement, statement } from '../sql.ts'

/** A page of what was set aside: few, so each is asked whether it fits. */
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
    const page = rows.slice(0, limit)
    const last = rows.length > limit ? page.at(-1) : undefined
    return {
      items: page.map(keptOf).filter((kept) => fits(kept, where)),
      ...(last !== undefined && { next: String(last.place) }),
    }
  }
}

interface AsideRow {
  readonly place: number
  readonly kind: Aside
  readonly created: number | null
  readonly tenant: string | null
  readonly id: string
  readonly type: string | null
  readonly source: Source | null
  readonly received: number | null
  readonly kept: number
  readonly size: number
  readonly body: Uint8Array | null
}

/** Of quarantined bytes it is not known whom they name: it is whoever they hold. Index: aside_place. */
function prepareSelect(
  schema: string,
  name: string,
  behind: '<' | '>',
  order: 'desc' | 'asc',
): Statement<AsideRow> {
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

/** Of quarantined bytes nothing else is known. */
function keptOf({ kind, created, tenant, id, type, source, received, kept, size, body }: AsideRow): Kept {
  return {
    key: { createInstant: created ?? 0, tenantId: tenant ?? '', id },
    type: type ?? '',
    source: source ?? 'door',
    receivedAt: received ?? kept,
    keptAt: kept,
    size,
    ...(body !== null && { body }),
    aside: kind,
    deliveries: [],
  }
}

/** Where those lie that a filter means, oldest first. */
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
    void handler // One that is named is to get it, not one that had it.
    const { userId } = where
    const name = userId === undefined ? null : nameOf(userId)
    const rows = await find(client, kinds, userId, name, after ?? 0, limit, false)
    const last = rows.length === limit ? rows.at(-1) : undefined
    return {
      places: rows.filter((row) => fits(keptOf(row), where)).map(({ place }) => place),
      ...(last !== undefined && { next: String(last.place) }),
    }
  }
}
