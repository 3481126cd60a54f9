import { codeOf } from '../../lib/code-of.ts'

/** Somebody else holds the lock: worth another try in a moment. */
export function isBusy(error: unknown): boolean {
  return resultOf(error) === 'BUSY'
}

/** The file is locked or the disk is full: opening may succeed later without a change of its path or rights. */
export function isTemporary(error: unknown): boolean {
  const code = codeOf(error)
  return isBusy(error) || resultOf(error) === 'FULL' || code === 'FW_INBOX_LOCKED' || code === 'ENOSPC'
}

/**
 * This one row cannot be stored, though others can: a value the driver will not bind, a constraint, a blob beyond SQLite's limit.
 * Everything else (a full disk, a corrupt page) is the store's trouble, not the row's.
 */
export function isPoison(error: unknown): boolean {
  const result = resultOf(error)
  return result === undefined ? isArgumentError(error) : poison.has(result)
}

/** The store is in trouble: a fresh connection sees it as soon as the trouble is over. */
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

/** https://sqlite.org/rescode.html, the ones we tell apart. */
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

/** SQLite's primary result code by name, undefined when SQLite did not throw this. */
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
