import { hash } from 'node:crypto'

/** The transaction that an atomic handler gets. A client of `pg` has this shape, and so does a library's wrapper of one. */
export interface PostgresSql {
  /** Runs one statement inside the transaction. Values stand for `$1`, `$2`, … */
  query(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>
}

/** A `Pool` of `pg`, or an object with these methods. */
export interface PostgresPool {
  /** Takes a connection out of the pool, or makes one. */
  connect(): Promise<PostgresClient>
  /** Reports the errors of idle connections, and each new connection. Absent: the owner of the pool must listen to such errors. */
  on?(event: 'error', listener: () => void): unknown
  on?(event: 'connect', listener: (client: PostgresClient) => void): unknown
  /** Removes a listener. */
  off?(event: 'error' | 'connect', listener: (client: PostgresClient) => void): unknown
  /** The pool's own settings: `max` connections (10 when absent). */
  readonly options?: { readonly max?: number; readonly connectionTimeoutMillis?: number | undefined }
}

/** The most connections of a pool: 10, like `pg`, where the pool names no limit. */
export function sizeOf({ options }: PostgresPool): number {
  return options?.max ?? 10
}

/** A connection taken out of a pool. */
export interface PostgresClient {
  /** Runs one statement, or, given as text without values, several. */
  query(statement: string | StatementCall, values?: readonly unknown[]): Promise<{ rows: unknown[] }>
  /** Reports that the connection broke, and what `LISTEN` hears. */
  on(event: 'error' | 'end', listener: () => void): unknown
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  /** With `true` the connection is closed instead of given back. */
  release(destroy?: boolean): void
  /** From now on the connection does not keep the process alive. */
  unref?(): void
}

/** A statement as `pg` takes it. */
export interface StatementCall {
  /** The server prepares the statement under this name. Absent: it is not prepared. */
  readonly name?: string
  /** The SQL. */
  readonly text: string
  /** The values of `$1`, `$2`, … */
  readonly values?: unknown[]
  /** Ms after which `pg` stops waiting for the answer. Whether the statement ran is then unknown. */
  readonly query_timeout: number
}

/** Without an answer for so long a connection counts as dead: a network that drops packets gives no error. */
export const answerWithinMs = 10_000

/** The names of our prepared statements begin with this. */
export const statementPrefix = 'fw_'

/** A statement whose rows have the type `Row`. It is planned once for each connection. */
export type Statement<Row> = (
  client: PostgresClient,
  ...values: readonly unknown[]
) => Promise<readonly Row[]>

/**
 * Write the type `Row` next to the SQL whose columns it describes, so that the two are changed together.
 *
 * The statement's name on the server ends in a hash of its text: a pooler may give another version of this code the same server connection,
 * which must not run this version's text under the same name.
 *
 * @param label Shown in `pg_prepared_statements`, without the schema before its last dot.
 */
export function statement<Row = never>(label: string, text: string): Statement<Row> {
  const name = `${statementPrefix}${label.slice(label.lastIndexOf('.') + 1).slice(0, 24)}_${nameOf(text)}` // At most 63 characters.
  return async (client, ...values) => {
    const call = { name, text, values: [...values], query_timeout: answerWithinMs }
    const { rows } = await client.query(call)
    return rows as readonly Row[] // The select list has the columns of Row, cast to types that every driver reads alike.
  }
}

/** Runs one or more statements without parameters in one round trip. */
export async function execute(client: PostgresClient, text: string): Promise<void> {
  await client.query({ text, query_timeout: answerWithinMs })
}

/** An array as PostgreSQL writes it, to be an element of another array: nested arrays must otherwise have the same length. */
export function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`
}

/** The first half of a text's SHA-256, in hex: 16 bytes for a text of any length that is only compared, never read. */
export function nameOf(text: string): string {
  return hash('sha256', text).slice(0, 32)
}
