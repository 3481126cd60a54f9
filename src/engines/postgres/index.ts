/**
 * An inbox in PostgreSQL, for several hosts.
 *
 * @module fusewire/postgres
 */
export { postgres, type PostgresOptions } from './engine.ts'
export type { PostgresUrl } from './storage/connect.ts'
export type { PostgresClient, PostgresPool, PostgresSql, StatementCall } from './sql.ts'
