import { query, type SqliteSql } from '../sql.ts'

/**
 * Finds the first event, in order of arrival, that was received at or after an instant, by binary search; Infinity if there is none. Seqs
 * grow with the time of receipt, except for the duration of a request and for clocks that were set back.
 */
export function prepareFindPosition(db: SqliteSql): (instant: number) => number {
  const findBounds = query<{ low: number | null; high: number | null }>(
    db,
    'select (select min(seq) from fw_events) as low, (select max(seq) from fw_events) as high',
  )
  const findFrom = query<{ seq: number; received: number }>(
    db,
    'select seq, received from fw_events where seq >= ? order by seq limit 1',
  )
  return (instant) => {
    if (instant === -Infinity) return -Infinity
    const { low: first, high: last } = findBounds.get() ?? { low: null, high: null }
    if (first === null || last === null) return Infinity
    let low = first
    let high = last + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const event = findFrom.get(middle)
      if (event === undefined || event.received >= instant) high = middle
      else low = event.seq + 1
    }
    return low > last ? Infinity : low
  }
}
