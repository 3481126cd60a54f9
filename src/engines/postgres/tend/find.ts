import { asidesOf, type Filter, fits } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { prepareFindSetAside } from './find-set-aside.ts'
import { prepareLoadEvents } from '../read/load-events.ts'
import { type PostgresClient, type Statement, statement } from '../sql.ts'
import { type Place, prepareWalk } from './walk.ts'

/** How many events one call looks at. */
const lookLimit = 1_000
/** After how many bytes of bodies a page ends. */
const bytesLimit = 4 * 1024 * 1024
/** How far arrivals may be out of order in time. */
export const disorderMs: number = 10 * 60_000

/** Where an event is, beside what it is. */
export interface FoundEvent {
  readonly place: Place
  readonly kept: Kept
}

/** A page of what fits. */
export function prepareFind(
  schema: string,
): (client: PostgresClient, where: Filter, paging: Paging) => Promise<Page<Kept>> {
  const scout = prepareSearch(schema)
  const findAside = prepareFindSetAside(schema)
  return async (client, where, paging) => {
    if (asidesOf(where).length > 0) return findAside(client, where, paging)
    const { items, ...page } = await scout(client, where, paging, (kept) => fits(kept, where))
    return { ...page, items: items.map(({ kept }) => kept) }
  }
}

/** A page of what else is wanted of a filter's events. */
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
  const positionAt = prepareFindPosition(schema)

  return async (client, where, paging, isWanted) => {
    const { limit, after, order = 'newest', bodies = false } = paging
    const { receivedAfter = -Infinity, receivedBefore = Infinity } = where
    const from = receivedAfter === -Infinity ? 0 : await positionAt(client, receivedAfter - disorderMs)
    const to = receivedBefore === Infinity ? Infinity : await positionAt(client, receivedBefore + disorderMs)
    const walk = walkOf(where)
    const items: FoundEvent[] = []
    let bytes = 0
    let place = after === undefined ? startOf(order, from, to) : Number(after)
    for (let looked = 0; looked < lookLimit;) {
      const wanted = Math.min(lookLimit - looked, limit * 2)
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
      looked += places.length
    }
    return { items, next: String(place) }
  }
}

/** Just outside of what counts. */
function startOf(order: 'newest' | 'oldest', from: number, to: number): number | undefined {
  if (order === 'newest') return to === Infinity ? undefined : to
  return from === 0 ? undefined : from - 1
}

/** About where the events of an instant begin, by halves: what was received later has, more or less, higher places. */
export function prepareFindPosition(schema: string): (client: PostgresClient, at: number) => Promise<number> {
  const bounds = statement<{ last: number }>(
    `${schema}.last_position`,
    `select last_value::float8 as last from ${schema}.positions`,
  )
  const next = prepareFindNext(schema)
  return async (client, at) => {
    let low = 1
    let high = ((await bounds(client))[0]?.last ?? 0) + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const [row] = await next(client, middle)
      if (row === undefined || row.received >= at) high = middle
      else low = Math.max(middle, row.position) + 1
    }
    return low
  }
}

/** Index: unique (position, created). */
function prepareFindNext(schema: string): Statement<{ position: number; received: number }> {
  return statement(
    `${schema}.next_position`,
    `
    select position::float8, received::float8 from ${schema}.events e where position >= $1 order by e.position limit 1
    `,
  )
}
