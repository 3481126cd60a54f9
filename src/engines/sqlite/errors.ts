import { codeOf } from '../../lib/code-of.ts'

/** Another connection holds the lock: a later try may succeed. */
export function isBusy(error: unknown): boolean {
  return resultOf(error) === 'BUSY'
}

/** The file is locked or the disk is full: a later open may succeed without a change of configuration. */
export function isTemporary(error: unknown): boolean {
  const code = codeOf(error)
  return isBusy(error) || resultOf(error) === 'FULL' || code === 'FW_INBOX_LOCKED' || code === 'ENOSPC'
}

/**
 * The database rejects this one row: a value that the driver cannot bind, a constraint, a blob beyond SQLite's limit. Other errors (a full disk,
 * a corrupt page) concern the whole store.
 */
export function isPoison(error: unknown): boolean {
  const result = resultOf(error)
  return result === undefined ? isArgumentError(error) : poison.has(result)
}

/** The store is faulty. The connection must be opened again, to notice when the fault is over. */
export function isFault(error: unknown): boolean {
  return faults.has(resultOf(error) ?? '')
}

const faults: ReadonlySet<string> = new Set([
  'CANTOPEN',
  'CORRUPT',
  'FULL',
  'IOERR',
  'NOMEM',
  'NOTADB',
  'PROTOCOL',
  'READONLY',
])

const poison: ReadonlySet<string> = new Set(['CONSTRAINT', 'MISMATCH', 'RANGE', 'TOOBIG'])

/** The result codes that we distinguish: https://sqlite.org/rescode.html */
const results: ReadonlyMap<number, string> = new Map([
  [5, 'BUSY'],
  [7, 'NOMEM'],
  [8, 'READONLY'],
  [10, 'IOERR'],
  [11, 'CORRUPT'],
  [13, 'FULL'],
  [14, 'CANTOPEN'],
  [15, 'PROTOCOL'],
  [18, 'TOOBIG'],
  [19, 'CONSTRAINT'],
  [20, 'MISMATCH'],
  [25, 'RANGE'],
  [26, 'NOTADB'],
])

/** The name of SQLite's primary result code; undefined for errors that SQLite did not throw. */
function resultOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // node:sqlite: { code: 'ERR_SQLITE_ERROR', errcode: 2067 }, the low byte of which is the primary code.
  if ('errcode' in error && typeof error.errcode === 'number') {
    return results.get(error.errcode & 0xff) ?? 'OTHER'
  }
  // better-sqlite3: { code: 'SQLITE_CONSTRAINT_UNIQUE' }
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_')) {
    return error.code.split('_')[1]
  }
  return undefined
}

function isArgumentError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError
}
