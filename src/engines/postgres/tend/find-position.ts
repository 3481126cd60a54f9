import { type PostgresClient, type Statement, statement } from '../sql.ts'

/** How far the order of positions may differ from the order in which events were received, in ms. */
export const disorderMs: number = 10 * 60_000

/**
 * Returns about the first position of events that were received at an instant or later, by binary search: positions are in order of
 * reception up to `disorderMs`.
 */
export function prepareFindPosition(schema: string): (client: PostgresClient, at: number) => Promise<number> {
  const findLast = statement<{ last: number }>(
    `${schema}.last_position`,
    `select last_value::float8 as last from ${schema}.positions`,
  )
  const findNext = prepareFindNext(schema)
  return async (client, at) => {
    let low = 1
    let high = ((await findLast(client))[0]?.last ?? 0) + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const [row] = await findNext(client, middle)
      if (row === undefined || row.received >= at) high = middle
      else low = Math.max(middle, row.position) + 1
    }
    return low
  }
}

/** The event at this position, or the next one. Index: unique (position, created). */
function prepareFindNext(schema: string): Statement<{ position: number; received: number }> {
  return statement(
    `${schema}.next_position`,
    `
    select position::float8, received::float8 from ${schema}.events e where position >= $1 order by e.position limit 1
    `,
  )
}
