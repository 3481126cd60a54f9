import { hash } from 'node:crypto'

/** What an atomic handler gets: its transaction. A client of `pg` fits, and so does whatever wraps one. */
export interface PostgresSql {
  /** Runs one statement inside the transaction. Values stand for `$1`, `$2`, … */
  query(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>
}

/** A `Pool` of `pg`, or what looks like one to us. */
export interface PostgresPool {
  /** Takes a connection out of the pool, or makes one. */
  connect(): Promise<PostgresClient>
  /** Reports the errors of idle connections, and each new connection. Absent: such errors are not heard here. */
  on?(event: 'error', listener: () => void): unknown
  on?(event: 'connect', listener: (client: PostgresClient) => void): unknown
  /** Takes a listener back. */
  off?(event: 'error' | 'connect', listener: (client: PostgresClient) => void): unknown
  /** The pool's own settings: `max` connections (10 when absent). */
  readonly options?: { readonly max?: number; readonly connectionTimeoutMillis?: number | undefined }
}

/** Connections of a pool, without a limit of its own (`pg` says 10 then). */
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
  /** With `true` it is closed, not given back. */
  release(destroy?: boolean): void
  /** From now on it keeps no process alive. */
  unref?(): void
}

/** A statement as `pg` takes it. */
export interface StatementCall {
  /** Under which name the server prepares it. Absent: it is not prepared. */
  readonly name?: string
  /** The SQL. */
  readonly text: string
  /** What stands for `$1`, `$2`, … */
  readonly values?: unknown[]
  /** When the answer is given up, in ms. Whether the statement ran is then unknown. */
  readonly query_timeout: number
}

/** Beyond this a connection is taken for dead: a cut cable says nothing. */
export const answerWithinMs = 10_000

/** What the names of our prepared statements begin with. */
export const statementPrefix = 'fw_'

/** A statement whose rows have this shape, planned once for each connection. */
export type Statement<Row> = (
  client: PostgresClient,
  ...values: readonly unknown[]
) => Promise<readonly Row[]>

/**
 * `Row` stands beside the SQL it describes: the two are read, and changed, together.
 *
 * The server knows the statement by a hash of its text: a pooler may lead another version of this code to the same server connection, and
 * under one name it would run the other one's text.
 *
 * @param label For people who look into `pg_prepared_statements`. What stands before its last dot, the schema, is left out.
 */
export function statement<Row = never>(label: string, text: string): Statement<Row> {
  const name = `${statementPrefix}${label.slice(label.lastIndexOf('.') + 1).slice(0, 24)}_${nameOf(text)}` // At most 63 characters.
  return async (client, ...values) => {
    const call = { name, text, values: [...values], query_timeout: answerWithinMs }
    const { rows } = await client.query(call)
    return rows as readonly Row[] // The select list names Row's columns, and casts them to types every driver reads alike.
  }
}

/** Statements without parameters, several in one trip. */
export async function execute(client: PostgresClient, text: string): Promise<void> {
  await client.query({ text, query_timeout: answerWithinMs })
}

/** An array as PostgreSQL writes it, to be an element of another: arrays of arrays must otherwise be of one length. */
export function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`
}

/** The first half of a text's SHA-256: for texts that are only compared, the same 16 bytes whatever they say. */
export function nameOf(text: string): string {
  return hash('sha256', text).slice(0, 32)
}
