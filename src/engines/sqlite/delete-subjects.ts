import { bucketOf } from './bucket-of.ts'
import type { SqliteSql } from './sql.ts'

/** Deletes what the index of people holds about these events, one statement for each bucket. Index: primary key (bucket, subject, seq). */
export function prepareDeleteSubjects(db: SqliteSql): (seqs: readonly number[]) => void {
  const remove = db.prepare(
    'delete from fw_subjects where bucket = ? and seq in (select value from json_each(?) gone)',
  )
  return (seqs) => {
    for (const [bucket, of] of Map.groupBy(seqs, bucketOf)) remove.run(bucket, JSON.stringify(of))
  }
}
