import { codeOf } from '../../lib/code-of.ts'
import { FusewireError } from '../../model/errors.ts'
import { statementPrefix } from './sql.ts'

/**
 * Whether the row cannot be stored, though others can: a text that PostgreSQL refuses, a number that is NaN, an index entry that is too long,
 * or a value that the driver cannot write.
 */
export function isPoison(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return error instanceof TypeError || error instanceof RangeError
  return poison.has(state.slice(0, 2))
}

/** Whether the error is likely to pass, so that the same is tried again on another connection. What was tried may have been committed. */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error)
  if (state === undefined) return isLost(error)
  return passing.has(state) || passing.has(state.slice(0, 2))
}

/** Whether the server is down or starting: opening may succeed later without a change of configuration. */
export function isTemporary(error: unknown): boolean {
  return isPassing(error) || isSocketMissing(error)
}

/** The file of a Unix socket is made when its server starts. */
function isSocketMissing(error: unknown): boolean {
  return (
    codeOf(error) === 'ENOENT' && error instanceof Error && 'syscall' in error && error.syscall === 'connect'
  )
}

/** Whether the connection cannot be used any more: it was cut, does not answer, or its server has stopped or become a standby. */
export function isLost(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return lost.has(state) || lost.has(state.slice(0, 2))
  if (!(error instanceof Error) || isOurs(error)) return false
  return networkCodes.has(codeOf(error) ?? '') || driverMessages.test(error.message)
}

/** Replaces an error that only another option prevents by a FusewireError that names the option. Returns every other error as it is. */
export function withAdvice(error: unknown): unknown {
  const state = sqlState(error)
  const isOfPrepared = state === '26000' || state === '42P05' // A prepared statement that does not exist, or exists already.
  if (!isOfPrepared || !(error instanceof Error) || !error.message.includes(statementPrefix)) return error
  return new FusewireError(
    'FW_POOLER',
    'A pooler between this process and PostgreSQL gives each transaction another server connection, so prepared statements get lost. ' +
      'Set postgres(url, { prepare: false }), or let PgBouncer (1.21 or later) keep them: max_prepared_statements above 0.',
    { cause: error },
  )
}

function isOurs(error: unknown): boolean {
  return codeOf(error)?.startsWith('FW_') === true
}

/** Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html. */
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
  '25006', // read-only transaction: the server is a standby, or has just become one
  '25P03', // idle in transaction for too long: this process stood still
  '26000', // unknown prepared statement: a pooler used another server connection
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

/** Errors that `pg` throws without a code. */
const driverMessages =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout|timeout )|timeout exceeded when trying to connect/

/** The error code of PostgreSQL, five characters. Undefined for an error that did not come from the server. */
function sqlState(error: unknown): string | undefined {
  const code = codeOf(error)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !networkCodes.has(code) ? code : undefined
}
