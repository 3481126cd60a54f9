/** A SQLite database: `DatabaseSync` of `node:sqlite` and `Database` of better-sqlite3 both fit. */
export interface SqliteSql {
  /** Runs SQL without parameters, several statements at a time. */
  exec(sql: string): void
  /** Prepares one statement. */
  prepare(sql: string): SqliteStatement
}

/** A prepared statement of such a database. */
export interface SqliteStatement {
  /** Runs it and says how many rows changed. */
  run(...values: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  /** Every row. */
  all(...values: unknown[]): unknown[]
  /** The first row, or undefined. */
  get(...values: unknown[]): unknown
}

/** The result of a function that does not return a promise. */
export type Sync = void | null | string | number | bigint | boolean | (object & { readonly then?: never })

/** A prepared query whose rows have this shape. */
export interface Query<Row> {
  all(...values: unknown[]): readonly Row[]
  get(...values: unknown[]): Row | undefined
}

/** Prepares a query. `Row` must describe the columns that the SQL selects. */
export function query<Row>(db: SqliteSql, sql: string): Query<Row> {
  return db.prepare(sql) as Query<Row> // The select list names Row's columns, and the schema is strict about their types.
}
