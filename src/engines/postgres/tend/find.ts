import { asidesOf, type Filter, fits } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import type { PostgresClient } from '../sql.ts'
import { prepareFindSetAside } from './find-set-aside.ts'
import { prepareSearch } from './search.ts'

/** Returns a page of the events that fit a filter. */
export function prepareFind(
  schema: string,
): (client: PostgresClient, where: Filter, paging: Paging) => Promise<Page<Kept>> {
  const search = prepareSearch(schema)
  const findSetAside = prepareFindSetAside(schema)
  return async (client, where, paging) => {
    if (asidesOf(where).length > 0) return findSetAside(client, where, paging)
    const { items, ...page } = await search(client, where, paging, (kept) => fits(kept, where))
    return { ...page, items: items.map(({ kept }) => kept) }
  }
}
