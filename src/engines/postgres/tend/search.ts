import type { Filter } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { prepareLoadEvents } from '../read/load-events.ts'
import type { PostgresClient } from '../sql.ts'
import { disorderMs, prepareFindPosition } from './find-position.ts'
import type { Place } from './place.ts'
import { prepareWalk } from './walk.ts'

/** How many events one call reads. */
const readLimit = 1_000
/** A page ends after so many bytes of bodies. */
const bytesLimit = 4 * 1024 * 1024

export interface FoundEvent {
  readonly place: Place
  readonly kept: Kept
}

/**
 * Returns a page of a filter's events for which `isWanted` is true. The page may be short and have a next one all the same, because one call
 * reads a limited number of events.
 */
export function prepareSearch(
  schema: string,
): (
  client: PostgresClient,
  where: Filter,
  paging: Paging,
  isWanted: (kept: Kept) => boolean,
) => Promise<Page<FoundEvent>> {
  const walkOf = prepareWalk(schema)
  const load = prepareLoadEvents(schema)
  const findPosition = prepareFindPosition(schema)

  return async (client, where, paging, isWanted) => {
    const { limit, after, order = 'newest', bodies = false } = paging
    const { receivedAfter = -Infinity, receivedBefore = Infinity } = where
    const from = receivedAfter === -Infinity ? 0 : await findPosition(client, receivedAfter - disorderMs)
    const to =
      receivedBefore === Infinity ? Infinity : await findPosition(client, receivedBefore + disorderMs)
    const walk = walkOf(where)
    const items: FoundEvent[] = []
    let bytes = 0
    let place = after === undefined ? startOf(order, from, to) : Number(after)
    for (let read = 0; read < readLimit;) {
      const wanted = Math.min(readLimit - read, limit * 2)
      const places = await walk(client, place, order, wanted)
      const events = await load(client, places, false)
      for (const at of places) {
        if (order === 'newest' ? at.position < from : at.position >= to) return { items }
        place = at.position
        const kept = events.get(at.position)
        if (kept === undefined || kept.gone !== undefined || !isWanted(kept)) continue
        const last = items.at(-1)
        if (last !== undefined && (items.length === limit || bytes >= bytesLimit)) {
          return { items, next: String(last.place.position) }
        }
        const whole = bodies ? (await load(client, [at], true)).get(at.position) : undefined
        items.push({ place: at, kept: whole ?? kept })
        bytes += bodies ? kept.size : 0
      }
      if (places.length < wanted) return { items }
      read += places.length
    }
    return { items, next: String(place) }
  }
}

/** The position just before the first event of the range, in the order of the walk. Undefined: the range is open at that end. */
function startOf(order: 'newest' | 'oldest', from: number, to: number): number | undefined {
  if (order === 'newest') return to === Infinity ? undefined : to
  return from === 0 ? undefined : from - 1
}
