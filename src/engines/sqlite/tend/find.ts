import { asidesOf, type Filter, fits } from '../../../model/filter.ts'
import type { Kept } from '../../../model/kept.ts'
import type { Page, Paging } from '../../../model/tending.ts'
import { prepareLoadSetAside, prepareWalkSetAside } from './load-set-aside.ts'
import { prepareLoadEvent } from '../read/load-event.ts'
import type { SqliteSql } from '../sql.ts'
import { prepareFindPosition } from './find-position.ts'
import { type Order, type Walk } from './stretch.ts'
import { prepareWalk } from './walk.ts'

/** An event and its seq. */
export interface FoundEvent {
  readonly seq: number
  readonly kept: Kept
}

/** How many events one call checks against the filter. */
const scanLimit = 500
/** A page ends when its bodies have this many bytes. */
const bytesLimit = 4 * 1024 * 1024
/** How much later than its successors an event may have been received: arrivals are ordered by their commit. */
export const disorderMs: number = 60 * 60_000

/** A page of events that match the filter or, if `isWanted` is given, that it accepts. Only reads, so it runs on any connection. */
export function prepareFind(
  db: SqliteSql,
): (where: Filter, paging: Paging, isWanted?: (kept: Kept) => boolean) => Page<FoundEvent> {
  const rangeOf = prepareSearchRange(db)
  return (
    where,
    { limit, after, order = 'newest', bodies = false },
    isWanted = (kept) => fits(kept, where),
  ) => {
    const { walk, load, from, to } = rangeOf(where)
    const items: FoundEvent[] = []
    let position = after === undefined ? startOf(order, from, to) : Number(after)
    let bytes = 0
    for (let checked = 0; checked < scanLimit;) {
      const { seqs, next } = walk(position, order, Math.min(scanLimit - checked, limit * 2))
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
      position = next
      checked += seqs.length
      if (seqs.length === 0) break // The walk has searched far enough for one call.
    }
    return { items, next: String(position) }
  }
}

/** Where to search for the events of a filter. */
interface SearchRange {
  readonly walk: Walk
  readonly load: (seq: number, bodies: boolean) => Kept | undefined
  /** The first seq of the range, and the first after it. */
  readonly from: number
  readonly to: number
}

function prepareSearchRange(db: SqliteSql): (where: Filter) => SearchRange {
  const walkOf = prepareWalk(db)
  const read = prepareLoadEvent(db)
  const findPosition = prepareFindPosition(db)
  const walkSetAside = prepareWalkSetAside(db)
  const loadSetAside = prepareLoadSetAside(db)
  return (where) => {
    const kinds = asidesOf(where)
    if (kinds.length > 0) {
      const load = (seq: number, bodies: boolean) => loadSetAside(seq, kinds, where.userId, bodies)
      return { walk: walkSetAside, load, from: -Infinity, to: Infinity }
    }
    const { receivedAfter = -Infinity, receivedBefore = Infinity } = where
    return {
      walk: walkOf(where),
      load(seq, bodies) {
        const kept = read(seq, bodies)
        return kept?.gone === undefined ? kept : undefined
      },
      from: findPosition(receivedAfter - disorderMs),
      to: receivedBefore === Infinity ? Infinity : findPosition(receivedBefore + disorderMs),
    }
  }
}

/** The seq just outside of the range, to search from. */
function startOf(order: Order, from: number, to: number): number | undefined {
  const start = order === 'newest' ? to : from - 1
  return Number.isFinite(start) ? start : undefined
}
