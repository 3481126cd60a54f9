import { asidesOf, type Filter, fits } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { readingAside, walkingAsides } from './aside.ts'
import { reading } from '../read/read.ts'
import type { SqliteSql } from '../sql.ts'
import { seqAt } from '../storage/time.ts'
import { type Order, type Walk, walking } from './walk.ts'

/** Where an event is, beside what it is. */
export interface Placed {
  readonly seq: number
  readonly kept: Kept
}

/** How many events one call looks at. */
const lookLimit = 500
/** After how many bytes of bodies a page ends. */
const bytesLimit = 4 * 1024 * 1024
/** How far arrivals may be out of order in time. */
export const disorderMs: number = 60 * 60_000

/** A page of what fits, or of what else of the filter's events is wanted. Only reads, so it runs on any connection. */
export function finding(
  db: SqliteSql,
): (where: Filter, paging: Paging, isWanted?: (kept: Kept) => boolean) => Page<Placed> {
  const groundOf = grounding(db)
  return (
    where,
    { limit, after, order = 'newest', bodies = false },
    isWanted = (kept) => fits(kept, where),
  ) => {
    const { walk, load, from, to } = groundOf(where)
    const items: Placed[] = []
    let place = after === undefined ? startOf(order, from, to) : Number(after)
    let bytes = 0
    for (let looked = 0; looked < lookLimit;) {
      const { seqs, next } = walk(place, order, Math.min(lookLimit - looked, limit * 2))
      for (const seq of seqs) {
        if (order === 'newest' ? seq < from : seq >= to) return { items }
        const kept = load(seq, false)
        if (kept === undefined || !isWanted(kept)) continue
        const last = items.at(-1)
        if (last !== undefined && (items.length === limit || bytes >= bytesLimit)) {
          return { items, next: String(last.seq) }
        }
        items.push({ seq, kept: bodies ? (load(seq, true) ?? kept) : kept })
        bytes += bodies ? kept.size : 0
      }
      if (next === undefined) return { items }
      place = next
      looked += seqs.length
      if (seqs.length === 0) break // It looked far already.
    }
    return { items, next: String(place) }
  }
}

/** What a filter is about: which places to look at, and what is there. */
interface Ground {
  readonly walk: Walk
  readonly load: (seq: number, bodies: boolean) => Kept | undefined
  /** The first place that counts, and the first that no longer does. */
  readonly from: number
  readonly to: number
}

function grounding(db: SqliteSql): (where: Filter) => Ground {
  const walkOf = walking(db)
  const read = reading(db)
  const placeAt = seqAt(db)
  const walkAsides = walkingAsides(db)
  const readAside = readingAside(db)
  return (where) => {
    const kinds = asidesOf(where)
    if (kinds.length > 0) {
      const load = (seq: number, bodies: boolean) => readAside(seq, kinds, where.userId, bodies)
      return { walk: walkAsides, load, from: -Infinity, to: Infinity }
    }
    const { receivedAfter = -Infinity, receivedBefore = Infinity } = where
    return {
      walk: walkOf(where),
      load(seq, bodies) {
        const kept = read(seq, bodies)
        return kept?.gone === undefined ? kept : undefined
      },
      from: placeAt(receivedAfter - disorderMs),
      to: receivedBefore === Infinity ? Infinity : placeAt(receivedBefore + disorderMs),
    }
  }
}

/** Just outside of what counts. */
function startOf(order: Order, from: number, to: number): number | undefined {
  const start = order === 'newest' ? to : from - 1
  return Number.isFinite(start) ? start : undefined
}
