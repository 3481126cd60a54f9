export { sqlite, type SqliteOptions } from './engine.ts'
export type { SqliteSql, SqliteStatement, Sync } from './sql.ts'
