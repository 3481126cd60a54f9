import { FusewireError } from '../../../model/errors.ts'
import type { SqliteSql } from '../sql.ts'

export type Attempt<T> = { readonly value: T } | { readonly error: unknown }

/**
 * Runs something inside the caller's transaction so that all it wrote is undone if it throws. Throws itself only when the transaction
 * is gone: a full disk or an I/O error undoes it whole.
 */
export function attempting(db: SqliteSql): <T>(run: () => T) => Attempt<T> {
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
        throw error // The first error says why; that nothing is left to undo follows from it.
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
