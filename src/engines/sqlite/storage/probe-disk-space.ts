import type { SqliteSql } from '../sql.ts'

/**
 * Writes this many bytes and deletes them in the same transaction; throws when the disk has no room for them. With `secure_delete` on,
 * SQLite also writes the pages of the deleted row.
 */
export function prepareProbeDiskSpace(db: SqliteSql): (bytes: number) => void {
  const insert = db.prepare(
    "insert into fw_aside (kind, hash, body) values ('probe', randomblob(32), zeroblob(?)) returning seq",
  )
  const remove = db.prepare("delete from fw_aside where kind = 'probe' and seq = ?")
  return (bytes) => {
    if (bytes === 0) return
    const { seq } = insert.get(bytes) as { seq: number } // `returning` gives the column.
    remove.run(seq)
  }
}
