import { asList } from '../../../lib/one-or-more.ts'
import type { Filter } from '../../../model/filter.ts'
import { bucketOf } from '../bucket.ts'
import { prepareFindWaiting } from '../lanes/find-waiting.ts'
import { query, type SqliteSql } from '../sql.ts'
import { subjectHash } from '../subject.ts'

export type Order = 'newest' | 'oldest'

/** Some of the events a filter may mean, in order, and how far they were looked for. */
export interface Stretch {
  readonly seqs: readonly number[]
  /** Goes on behind this one; absent at the end. */
  readonly next?: number
}

/** Gives the candidates behind `after`: about as many as `limit`, or none after looking far enough. */
export type Walk = (after: number | undefined, order: Order, limit: number) => Stretch

/** How many buckets one stretch looks into: 2 us each where there is nothing. */
const bucketLimit = 4_096
/** How many waiting deliveries are sorted rather than looked for among all events. */
const sortLimit = 20_000

/** By which index the events that fit are found with the least looking. What a walk gives still has to be asked whether it fits. */
export function walking(db: SqliteSql): (where: Filter) => Walk {
  const withId = findingId(db)
  const ofSubject = bucketsOfSubject(db)
  const ofTypes = bucketsOfTypes(db)
  const live = liveBuckets(db)
  const dead = walkingDead(db)
  const failed = walkingFailed(db)
  const waiting = findingWaiting(db)

  return ({ id, userId, state, errorText, type }) => {
    if (id !== undefined) return listed(withId(id))
    if (userId !== undefined) return bucketed(ofSubject(userId))
    const states = state === undefined ? [] : asList(state)
    if (states.length === 1 && states[0] === 'dead') return dead
    if (errorText !== undefined) return failed
    if (states.length > 0 && states.every((one) => one === 'pending' || one === 'leased')) {
      const seqs = waiting(sortLimit + 1)
      if (seqs.length <= sortLimit) return listed(seqs)
    }
    return bucketed(type === undefined ? live : ofTypes(asList(type)))
  }
}

/** Where events lie, bucket by bucket. */
interface Buckets {
  /** The nearest bucket from this one on, in this direction, that may hold some. */
  readonly nearest: (bucket: number, order: Order) => number | undefined
  /** In any order. */
  readonly seqsIn: (bucket: number) => readonly number[]
}

function bucketed({ nearest, seqsIn }: Buckets): Walk {
  return (after, order, limit) => {
    const step = order === 'newest' ? -1 : 1
    const isBehind = (seq: number) => after === undefined || step * (seq - after) > 0
    const start = after === undefined ? (order === 'newest' ? Number.MAX_SAFE_INTEGER : 0) : bucketOf(after)
    const seqs: number[] = []
    let bucket = nearest(start, order)
    for (let looked = 0; bucket !== undefined; looked++) {
      const found = seqsIn(bucket).filter(isBehind)
      seqs.push(...found.toSorted((a, b) => step * (a - b)))
      const at = bucket
      bucket = nearest(bucket + step, order)
      if (bucket === undefined) break
      const last = seqs[limit - 1]
      if (last !== undefined) return { seqs: seqs.slice(0, limit), next: last }
      if (looked === bucketLimit) return { seqs, next: order === 'newest' ? at * 1_024 : at * 1_024 + 1_023 }
    }
    return stretchOf(seqs, limit)
  }
}

/** The first `limit` of these events; `next` is absent if they are all. */
export function stretchOf(all: readonly number[], limit: number): Stretch {
  const seqs = all.slice(0, limit)
  const last = all.length > limit ? seqs.at(-1) : undefined
  return { seqs, ...(last !== undefined && { next: last }) }
}

function listed(all: readonly number[]): Walk {
  return (after, order, limit) => {
    const step = order === 'newest' ? -1 : 1
    const rest = all
      .filter((seq) => after === undefined || step * (seq - after) > 0)
      .toSorted((a, b) => step * (a - b))
    return stretchOf(rest, limit)
  }
}

/** Index: fw_types, for all of these. */
function liveBuckets(db: SqliteSql): Buckets {
  const seqsIn = query<{ seq: number }>(
    db,
    'select seq from fw_events indexed by fw_types where seq / 1024 = ? and body is not null',
  )
  return {
    nearest: nearestLive(db),
    seqsIn: (bucket) => seqsIn.all(bucket).map(({ seq }) => seq),
  }
}

function bucketsOfTypes(db: SqliteSql): (types: readonly string[]) => Buckets {
  const nearest = nearestLive(db)
  const seqsIn = query<{ seq: number }>(
    db,
    'select seq from fw_events indexed by fw_types where seq / 1024 = ? and type = ? and body is not null',
  )
  return (types) => ({
    nearest,
    seqsIn: (bucket) => types.flatMap((type) => seqsIn.all(bucket, type).map(({ seq }) => seq)),
  })
}

function nearestLive(db: SqliteSql): Buckets['nearest'] {
  const below = query<{ bucket: number }>(
    db,
    `
    select seq / 1024 as bucket from fw_events indexed by fw_types
    where seq / 1024 <= ? and body is not null
    order by seq / 1024 desc limit 1
    `,
  )
  const above = query<{ bucket: number }>(
    db,
    `
    select seq / 1024 as bucket from fw_events indexed by fw_types
    where seq / 1024 >= ? and body is not null
    order by seq / 1024 limit 1
    `,
  )
  return (bucket, order) => (order === 'newest' ? below : above).get(bucket)?.bucket
}

/** Index: primary key (bucket, subject, seq), for all three. */
function bucketsOfSubject(db: SqliteSql): (subject: string) => Buckets {
  const below = query<{ bucket: number }>(
    db,
    'select bucket from fw_subjects where bucket <= ? order by bucket desc limit 1',
  )
  const above = query<{ bucket: number }>(
    db,
    'select bucket from fw_subjects where bucket >= ? order by bucket limit 1',
  )
  const seqsIn = query<{ seq: number }>(db, 'select seq from fw_subjects where bucket = ? and subject = ?')
  return (userId) => ({
    nearest: (bucket, order) => (order === 'newest' ? below : above).get(bucket)?.bucket,
    seqsIn: (bucket) => seqsIn.all(bucket, subjectHash(userId)).map(({ seq }) => seq),
  })
}

/** Walks the index (created, tenant, id) from end to end. An index of its own would cost every append. */
function findingId(db: SqliteSql): (id: string) => readonly number[] {
  const find = query<{ seq: number }>(db, 'select seq from fw_events ids where id = ?')
  return (id) => find.all(id).map(({ seq }) => seq)
}

/** Index: fw_dead, handler by handler. */
function walkingDead(db: SqliteSql): Walk {
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
function walkingFailed(db: SqliteSql): Walk {
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

/** Events with deliveries that have not ended, up to `limit` deliveries. */
function findingWaiting(db: SqliteSql): (limit: number) => readonly number[] {
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
