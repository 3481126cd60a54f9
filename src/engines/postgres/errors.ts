import { codeOf } from '../../lib/code-of.ts'
import { FusewireError } from '../../model/errors.ts'
import { statementPrefix } from './sql.ts'

/**
 * This one row cannot be stored, though others can: a text PostgreSQL does not take, a number that is none, an index entry too long, a
 * value the driver cannot write.
 */
export function isPoison(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return error instanceof TypeError || error instanceof RangeError
  return poison.has(state.slice(0, 2))
}

/** Over in a moment, perhaps: worth the same again, on another connection. What had been asked may or may not have been done. */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return isLost(error)
  return passing.has(state) || passing.has(state.slice(0, 2))
}

/** The server is away or starting: opening may succeed later without a change of configuration. */
export function isTemporary(error: unknown): boolean {
  return isPassing(error) || isSocketMissing(error)
}

/** A server on a Unix socket makes the file when it starts. */
function isSocketMissing(error: unknown): boolean {
  return (
    codeOf(error) === 'ENOENT' && error instanceof Error && 'syscall' in error && error.syscall === 'connect'
  )
}

/** The connection is of no use any more: cut, silent, or to a server that has stopped or become a standby. */
export function isLost(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return lost.has(state) || lost.has(state.slice(0, 2))
  if (!(error instanceof Error) || isOurs(error)) return false
  return networkCodes.has(codeOf(error) ?? '') || driverMessages.test(error.message)
}

/** Replaces an error that only an option can cure by a FusewireError that names the option; gives every other error back. */
export function withAdvice(error: unknown): unknown {
  const state = sqlState(error)
  const isOfPrepared = state === '26000' || state === '42P05' // Such a statement does not exist, or exists already.
  if (!isOfPrepared || !(error instanceof Error) || !error.message.includes(statementPrefix)) return error
  return new FusewireError(
    'FW_POOLER',
    'A pooler between this process and PostgreSQL gives each transaction another server connection, so prepared statements get lost. ' +
      'Say postgres(url, { prepare: false }), or let PgBouncer (1.21 or later) keep them: max_prepared_statements above 0.',
    { cause: error },
  )
}

function isOurs(error: unknown): boolean {
  return codeOf(error)?.startsWith('FW_') === true
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html, classes and codes. */
const poison: ReadonlySet<string> = new Set([
  '22', // data exception
  '23', // a constraint
  '54', // program limit exceeded
])

const passing: ReadonlySet<string> = new Set([
  '08', // connection exception
  '40', // serialization failure, deadlock, unknown completion
  '53', // too many connections, out of memory, disk full
  '57', // shutdown, crash, statement timeout
  '25006', // read-only transaction: a standby, or a primary that just became one
  '25P03', // idle in transaction for too long: this process was held up
  '26000', // a pooler in between gave us another server connection
  '55P03', // lock not available
])

const lost: ReadonlySet<string> = new Set([
  '08',
  '25006',
  '25P03',
  '26000',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
])

const networkCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/** What `pg` throws without a code. */
const driverMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout )|timeout exceeded when trying to connect/

/** PostgreSQL's five characters, undefined when it did not throw this. */
function sqlState(error: unknown): string | undefined {
  const code = codeOf(error)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !networkCodes.has(code) ? code : undefined
}
