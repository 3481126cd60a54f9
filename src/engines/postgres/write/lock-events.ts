import { type PostgresClient, type Statement, statement } from '../sql.ts'
import type { Place } from '../tend/place.ts'

/**
 * Locks events until the caller's transaction ends, and returns the places of those that still have their body.
 *
 * Prune, replay and erase call this before they write, and then read the events again in a new statement, because a statement sees the rows
 * as they were when it began, which is before it waited for the lock. If one of the three took no lock, deliveries of pruned events could
 * remain.
 */
export function prepareLockEvents(
  schema: string,
): (client: PostgresClient, places: readonly Place[]) => Promise<readonly Place[]> {
  const lock = prepareLockRows(schema)
  return async (client, places) => {
    if (places.length === 0) return []
    const rows = await lock(
      client,
      places.map(({ position }) => position),
      places.map(({ created }) => created),
    )
    const locked = new Set(rows.map(({ position }) => position))
    return places.filter(({ position }) => locked.has(position))
  }
}

/** In order of key, which is the order in which append locks the rows of known events: any other order would deadlock with it. Index: unique (position, created). */
function prepareLockRows(schema: string): Statement<{ position: number }> {
  return statement(
    `${schema}.lock_events`,
    `
    select position::float8 from ${schema}.events e
    where position = any ($1::bigint[]) and created = any ($2::bigint[]) and gone is null
    order by created, tenant, id
    for update
    `,
  )
}
