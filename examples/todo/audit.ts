import { DatabaseSync } from 'node:sqlite'
import type { SqliteSql } from 'fusewire/sqlite'

export interface AuditRow {
  readonly userId: string
  readonly what: string
  readonly at: number
}

/** Writes in the inbox's own file and transaction, so there is exactly one row for each event. */
export function writeAudit(sql: SqliteSql, { userId, what, at }: AuditRow): void {
  sql.exec('create table if not exists audit (userId text not null, what text not null, at integer not null)')
  sql.prepare('insert into audit (userId, what, at) values (?, ?, ?)').run(userId, what, at)
}

export function readAudit(inboxFile: string): AuditRow[] {
  using db = new DatabaseSync(inboxFile, { readOnly: true })
  const written = db.prepare("select 1 from sqlite_schema where name = 'audit'").get() !== undefined
  if (!written) return []
  return db.prepare('select userId, what, at from audit order by rowid').all() as unknown as AuditRow[] // The columns it selects.
}
