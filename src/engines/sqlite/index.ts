/**
 * An inbox in a SQLite file, for the processes of one host.
 *
 * @module fusewire/sqlite
 */
export { sqlite, type SqliteOptions } from './engine.ts'
export type { SqliteSql, SqliteStatement, Sync } from './sql.ts'
