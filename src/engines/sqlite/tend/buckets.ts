import { bucketOf } from '../bucket-of.ts'
import { query, type SqliteSql } from '../sql.ts'
import { subjectHash } from '../subject-hash.ts'
import { type Order, stretchOf, type Walk } from './stretch.ts'

/** How many buckets one stretch searches: 2 us for each that has no matching event. */
const bucketLimit = 4_096

/** An index that is divided into buckets of 1,024 events. */
export interface Buckets {
  /** The nearest bucket, this one included, that may hold matching events. */
  readonly nearest: (bucket: number, order: Order) => number | undefined
  /** Matching events of a bucket, in any order. */
  readonly seqsIn: (bucket: number) => readonly number[]
}

export function walkBuckets({ nearest, seqsIn }: Buckets): Walk {
  return (after, order, limit) => {
    const step = order === 'newest' ? -1 : 1
    const isAfter = (seq: number) => after === undefined || step * (seq - after) > 0
    const start = after === undefined ? (order === 'newest' ? Number.MAX_SAFE_INTEGER : 0) : bucketOf(after)
    const seqs: number[] = []
    let bucket = nearest(start, order)
    for (let looked = 0; bucket !== undefined; looked++) {
      const found = seqsIn(bucket).filter(isAfter)
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

/** All events that have a body. Index: fw_types, as for the next two. */
export function prepareLiveBuckets(db: SqliteSql): Buckets {
  const seqsIn = query<{ seq: number }>(
    db,
    'select seq from fw_events indexed by fw_types where seq / 1024 = ? and body is not null',
  )
  return {
    nearest: prepareFindNearestLive(db),
    seqsIn: (bucket) => seqsIn.all(bucket).map(({ seq }) => seq),
  }
}

export function prepareBucketsOfTypes(db: SqliteSql): (types: readonly string[]) => Buckets {
  const nearest = prepareFindNearestLive(db)
  const seqsIn = query<{ seq: number }>(
    db,
    'select seq from fw_events indexed by fw_types where seq / 1024 = ? and type = ? and body is not null',
  )
  return (types) => ({
    nearest,
    seqsIn: (bucket) => types.flatMap((type) => seqsIn.all(bucket, type).map(({ seq }) => seq)),
  })
}

function prepareFindNearestLive(db: SqliteSql): Buckets['nearest'] {
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
export function prepareBucketsOfSubject(db: SqliteSql): (subject: string) => Buckets {
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
