import type { SqliteSql } from '../sql.ts'

/**
 * Deletes the statistics that an `analyze` wrote about the tables of the inbox. Every hot statement names its index, but with statistics
 * from a time when the inbox held one event SQLite scans all events for each statement.
 */
export function forgetStatistics(db: SqliteSql): void {
  const analyzed = db.prepare("select 1 from sqlite_schema where name = 'sqlite_stat1'").get() !== undefined
  if (!analyzed) return
  db.exec("delete from sqlite_stat1 where tbl like 'fw\\_%' escape '\\'")
  db.exec('analyze sqlite_schema') // Makes SQLite read the changed statistics.
}
