import { FusewireError } from '../../../model/errors.ts'
import type { SqliteSql } from '../sql.ts'

export type SavepointResult<T> = { readonly value: T } | { readonly error: unknown }

/**
 * Runs a function in a savepoint of the caller's transaction, so that everything it wrote is undone if it throws. Throws itself only when
 * the whole transaction was rolled back, as SQLite does on a full disk or an I/O error.
 */
export function prepareRunInSavepoint(db: SqliteSql): <T>(run: () => T) => SavepointResult<T> {
  const savepoint = db.prepare('savepoint fw_attempt')
  const undo = db.prepare('rollback to fw_attempt')
  const release = db.prepare('release fw_attempt')
  return (run) => {
    savepoint.run()
    let value
    try {
      value = run()
    } catch (error) {
      try {
        undo.run()
        release.run()
      } catch {
        throw error // The first error is the cause; without a transaction there is nothing left to undo.
      }
      return { error }
    }
    try {
      release.run()
    } catch (cause) {
      throw new FusewireError(
        'FW_ATOMIC',
        'An atomic handler ended the transaction it was given. Leave begin, commit, rollback and savepoints to the inbox.',
        { cause },
      )
    }
    return { value }
  }
}
