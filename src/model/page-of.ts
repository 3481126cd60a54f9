import type { Page } from './tending.ts'

/**
 * The first `limit` of these rows as a page. The caller reads one row more than `limit`: only if it is there does the page have a next one.
 *
 * @param placeOf What `Paging.after` must be to go on behind a row.
 */
export function pageOf<Row>(rows: readonly Row[], limit: number, placeOf: (row: Row) => number): Page<Row> {
  const items = rows.length > limit ? rows.slice(0, limit) : rows
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, ...(last !== undefined && { next: String(placeOf(last)) }) }
}
