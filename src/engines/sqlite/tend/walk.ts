import { asList } from '../../../lib/one-or-more.ts'
import type { Filter } from '../../../model/filter.ts'
import { prepareFindWaiting } from '../lanes/find-waiting.ts'
import { query, type SqliteSql } from '../sql.ts'
import { prepareBucketsOfSubject, prepareBucketsOfTypes, prepareLiveBuckets, walkBuckets } from './buckets.ts'
import { stretchOf, type Walk } from './stretch.ts'

/** Up to this many waiting deliveries are found by their state and sorted; more are searched for among all events. */
const sortLimit = 20_000

/** Chooses the index that finds the matching events with the fewest reads. The caller must still check each event against the filter. */
export function prepareWalk(db: SqliteSql): (where: Filter) => Walk {
  const findId = prepareFindId(db)
  const bucketsOfSubject = prepareBucketsOfSubject(db)
  const bucketsOfTypes = prepareBucketsOfTypes(db)
  const liveBuckets = prepareLiveBuckets(db)
  const walkDead = prepareWalkDead(db)
  const walkFailed = prepareWalkFailed(db)
  const findWaiting = prepareFindAllWaiting(db)

  return ({ id, userId, state, errorText, type }) => {
    if (id !== undefined) return walkList(findId(id))
    if (userId !== undefined) return walkBuckets(bucketsOfSubject(userId))
    const states = state === undefined ? [] : asList(state)
    if (states.length === 1 && states[0] === 'dead') return walkDead
    if (errorText !== undefined) return walkFailed
    if (states.length > 0 && states.every((one) => one === 'pending' || one === 'leased')) {
      const seqs = findWaiting(sortLimit + 1)
      if (seqs.length <= sortLimit) return walkList(seqs)
    }
    return walkBuckets(type === undefined ? liveBuckets : bucketsOfTypes(asList(type)))
  }
}

function walkList(all: readonly number[]): Walk {
  return (after, order, limit) => {
    const step = order === 'newest' ? -1 : 1
    const rest = all
      .filter((seq) => after === undefined || step * (seq - after) > 0)
      .toSorted((a, b) => step * (a - b))
    return stretchOf(rest, limit)
  }
}

/** Scans the whole index (created, tenant, id): another index, on id, would slow down every append. */
function prepareFindId(db: SqliteSql): (id: string) => readonly number[] {
  const find = query<{ seq: number }>(db, 'select seq from fw_events ids where id = ?')
  return (id) => find.all(id).map(({ seq }) => seq)
}

/** Reads the index of each handler. Index: fw_dead. */
function prepareWalkDead(db: SqliteSql): Walk {
  const handlers = query<{ id: number }>(db, 'select id from fw_handlers')
  const where = `from fw_deliveries indexed by fw_dead where handler = ? and state = 'dead'`
  const older = query<{ seq: number }>(db, `select seq ${where} and seq < ? order by seq desc limit ?`)
  const newer = query<{ seq: number }>(db, `select seq ${where} and seq > ? order by seq limit ?`)
  return (after, order, limit) => {
    const [find, from, step] =
      order === 'newest' ? [older, after ?? Number.MAX_SAFE_INTEGER, -1] : [newer, after ?? -1, 1]
    const seqs = handlers.all().flatMap(({ id }) => find.all(id, from, limit + 1).map(({ seq }) => seq))
    const sorted = [...new Set(seqs)].toSorted((a, b) => step * (a - b))
    return stretchOf(sorted, limit)
  }
}

/** Index: fw_failed. */
function prepareWalkFailed(db: SqliteSql): Walk {
  const where = 'from fw_deliveries indexed by fw_failed where failures is not null'
  const older = query<{ seq: number }>(
    db,
    `select distinct seq ${where} and seq < ? order by seq desc limit ?`,
  )
  const newer = query<{ seq: number }>(db, `select distinct seq ${where} and seq > ? order by seq limit ?`)
  return (after, order, limit) => {
    const rows =
      order === 'newest'
        ? older.all(after ?? Number.MAX_SAFE_INTEGER, limit + 1)
        : newer.all(after ?? -1, limit + 1)
    const seqs = rows.map(({ seq }) => seq)
    return stretchOf(seqs, limit)
  }
}

/** Events with deliveries that have not ended, at most `limit` deliveries. */
function prepareFindAllWaiting(db: SqliteSql): (limit: number) => readonly number[] {
  const handlers = query<{ id: number }>(db, 'select id from fw_handlers')
  const find = prepareFindWaiting(db)
  return (limit) => {
    const seqs: number[] = []
    for (const { id } of handlers.all()) {
      seqs.push(...find(id, limit - seqs.length))
      if (seqs.length >= limit) break
    }
    return seqs.length >= limit ? seqs : [...new Set(seqs)]
  }
}
