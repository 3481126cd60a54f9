import { query, type SqliteSql } from '../sql.ts'

/**
 * The first event in order of arrival that was received at or after an instant, found by halving: arrivals are in order of time, but for
 * what a request took and a clock that was set back. Nothing was received after it: Infinity.
 */
export function seqAt(db: SqliteSql): (instant: number) => number {
  const bounds = query<{ low: number | null; high: number | null }>(
    db,
    'select (select min(seq) from fw_events) as low, (select max(seq) from fw_events) as high',
  )
  const from = query<{ seq: number; received: number }>(
    db,
    'select seq, received from fw_events where seq >= ? order by seq limit 1',
  )
  return (instant) => {
    if (instant === -Infinity) return -Infinity
    const { low: first, high: last } = bounds.get() ?? { low: null, high: null }
    if (first === null || last === null) return Infinity
    let low = first
    let high = last + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const event = from.get(middle)
      if (event === undefined || event.received >= instant) high = middle
      else low = event.seq + 1
    }
    return low > last ? Infinity : low
  }
}
