import {
  type BlockedLane,
  type HandlerOverview,
  nodeOutlivesMs,
  type Overview,
  type TypeOverview,
} from '../../../model/stats.ts'
import { prepareCountHandler, statsOf } from '../read/count-stats.ts'
import { prepareFindNodes } from '../nodes.ts'
import { query, type SqliteSql } from '../sql.ts'
import { prepareMeasureBytes } from '../storage/measure-bytes.ts'
import { prepareFindPosition } from './find-position.ts'

const hourMs = 60 * 60_000
const blockedLimit = 20
/** How many buckets, of a thousand events each, are counted between two pauses: 1 ms of work. */
const bucketsPerStep = 16

/** Counts in steps: at each yield the caller can let other work run. */
export function prepareOverview(db: SqliteSql): (now: number) => Generator<void, Overview> {
  const findPosition = prepareFindPosition(db)
  const countTypes = prepareCountTypes(db)
  const countSetAside = query<{ count: number }>(db, 'select count(*) as count from fw_aside')
  const handlers = query<{ id: number; name: string; abandoned: number | null }>(
    db,
    'select id, name, abandoned from fw_handlers order by name',
  )
  const countHandler = prepareCountHandler(db)
  const findBlocked = prepareFindBlocked(db)
  const findNodes = prepareFindNodes(db)
  const measureBytes = prepareMeasureBytes(db)

  return function* overview(now) {
    const nodes = findNodes(now - nodeOutlivesMs)
    const types = yield* countTypes(findPosition(now - hourMs))
    const handlerOverviews: HandlerOverview[] = []
    for (const { id, name, abandoned: abandonedAt } of handlers.all()) {
      const abandoned = !nodes.some((node) => node.handlers.includes(name))
      handlerOverviews.push({
        ...statsOf(name, countHandler(id)),
        ...(abandonedAt !== null && { abandonedAt }),
        abandoned,
        blocked: findBlocked(id),
      })
      yield
    }
    return {
      events: types.reduce((sum, { events }) => sum + events, 0),
      aside: countSetAside.get()?.count ?? 0,
      bytes: measureBytes(),
      types,
      handlers: handlerOverviews,
      nodes,
    }
  }
}

/** Counts events by type, one bucket at a time. Index: fw_types. */
function prepareCountTypes(db: SqliteSql): (recentFrom: number) => Generator<void, readonly TypeOverview[]> {
  const next = query<{ bucket: number }>(
    db,
    `
    select seq / 1024 as bucket from fw_events indexed by fw_types
    where seq / 1024 >= ? and body is not null
    order by seq / 1024 limit 1
    `,
  )
  const count = query<{ type: string; events: number; recent: number }>(
    db,
    `
    select type, count(*) as events, sum(seq >= ?) as recent from fw_events indexed by fw_types
    where seq / 1024 = ? and body is not null
    group by type
    `,
  )
  return function* countTypes(recentFrom) {
    const from = Math.min(recentFrom, Number.MAX_SAFE_INTEGER)
    const types = new Map<string, { events: number; lastHour: number }>()
    let steps = 0
    for (let bucket = next.get(0)?.bucket; bucket !== undefined; bucket = next.get(bucket + 1)?.bucket) {
      for (const { type, events, recent } of count.all(from, bucket)) {
        const sum = types.get(type) ?? { events: 0, lastHour: 0 }
        types.set(type, { events: sum.events + events, lastHour: sum.lastHour + recent })
      }
      if (++steps % bucketsPerStep === 0) yield
    }
    return [...types]
      .map(([type, counts]) => ({ type, ...counts }))
      .toSorted((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1))
  }
}

/** Indexes: fw_held, fw_parked. */
function prepareFindBlocked(db: SqliteSql): (handler: number) => readonly BlockedLane[] {
  const held = query<{ lane: string | null; since: number }>(
    db,
    `
    select lane, held as since from fw_deliveries indexed by fw_held
    where handler = ? and state = 'head' and held is not null
    order by held limit ${blockedLimit}
    `,
  )
  const parked = query<{ count: number }>(
    db,
    `
    select count(*) as count from fw_deliveries indexed by fw_parked
    where handler = ? and lane = ? and state = 'parked'
    `,
  )
  return (handler) =>
    held
      .all(handler)
      .map(({ lane, since }) =>
        lane === null
          ? { since, pending: 1 }
          : { lane, since, pending: 1 + (parked.get(handler, lane)?.count ?? 0) },
      )
}
