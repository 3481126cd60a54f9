import {
  type BlockedLane,
  type HandlerOverview,
  type Node,
  nodeOutlivesMs,
  type Overview,
  type TypeOverview,
} from '../../../model/stats.ts'
import { countingHandler, statsOf } from '../read/read.ts'
import { query, type SqliteSql } from '../sql.ts'
import { seqAt } from '../storage/time.ts'

const hourMs = 60 * 60_000
const blockedLimit = 20
/** After how many buckets of a thousand events it pauses: 1 ms. */
const bucketsPerStep = 16

/** Counts in steps: whoever runs it may do something else at each yield. */
export function overviewing(db: SqliteSql): (now: number) => Generator<void, Overview> {
  const placeAt = seqAt(db)
  const countTypes = countingTypes(db)
  const countAside = query<{ count: number }>(db, 'select count(*) as count from fw_aside')
  const handlers = query<{ id: number; name: string; abandoned: number | null }>(
    db,
    'select id, name, abandoned from fw_handlers order by name',
  )
  const countHandler = countingHandler(db)
  const blocked = findingBlocked(db)
  const findNodes = findingNodes(db)
  const bytes = measuring(db)

  return function* overview(now) {
    const nodes = findNodes(now - nodeOutlivesMs)
    const types = yield* countTypes(placeAt(now - hourMs))
    const handlerOverviews: HandlerOverview[] = []
    for (const { id, name, abandoned: abandonedAt } of handlers.all()) {
      const abandoned = !nodes.some((node) => node.handlers.includes(name))
      handlerOverviews.push({
        ...statsOf(name, countHandler(id)),
        ...(abandonedAt !== null && { abandonedAt }),
        abandoned,
        blocked: blocked(id),
      })
      yield
    }
    return {
      events: types.reduce((sum, { events }) => sum + events, 0),
      aside: countAside.get()?.count ?? 0,
      bytes: bytes(),
      types,
      handlers: handlerOverviews,
      nodes,
    }
  }
}

/** Pages that hold something. */
export function measuring(db: SqliteSql): () => number {
  const pages = query<{ page_count: number }>(db, 'pragma page_count')
  const free = query<{ freelist_count: number }>(db, 'pragma freelist_count')
  const size = query<{ page_size: number }>(db, 'pragma page_size')
  return () => {
    const used = (pages.get()?.page_count ?? 0) - (free.get()?.freelist_count ?? 0)
    return used * (size.get()?.page_size ?? 0)
  }
}

/** Bucket by bucket, each in order of type. Index: fw_types. */
function countingTypes(db: SqliteSql): (recentFrom: number) => Generator<void, readonly TypeOverview[]> {
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
function findingBlocked(db: SqliteSql): (handler: number) => readonly BlockedLane[] {
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

interface NodeRow {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly started: number
  readonly seen: number
  readonly handlers: string
}

function findingNodes(db: SqliteSql): (seenAfter: number) => readonly Node[] {
  const find = query<NodeRow>(
    db,
    'select id, host, pid, started, seen, handlers from fw_nodes where seen > ? order by started, id',
  )
  return (seenAfter) =>
    find.all(seenAfter).map(({ started, seen, handlers, ...node }) => ({
      ...node,
      startedAt: started,
      seenAt: seen,
      handlers: JSON.parse(handlers) as readonly string[], // Written by beating.
    }))
}
