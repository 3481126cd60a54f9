import { isThenable } from '../../../lib/is-thenable.ts'
import { FusewireError } from '../../../model/errors.ts'
import type { SqliteSql, SqliteStatement } from '../sql.ts'

/**
 * Runs an atomic handler inside the caller's transaction, and throws what it threw. The handler must not be async: its writes after the first
 * await would be committed whether or not its event is settled, and an append could run in its transaction.
 */
export function runAtomic(db: SqliteSql, handle: (sql: SqliteSql) => unknown): void {
  const loan = lend(db)
  let result: unknown
  try {
    result = handle(loan.sql)
  } finally {
    loan.end()
  }
  if (!isThenable(result)) return
  void Promise.resolve(result).catch(() => {}) // The handler fails in any case; its rejection must not end the process.
  throw new FusewireError(
    'FW_ATOMIC',
    'An atomic handler on SQLite returned a promise. Make it a synchronous function, or leave atomic out.',
  )
}

/** Gives the database to the handler until the handler has returned. */
function lend(db: SqliteSql): { readonly sql: SqliteSql; end(): void } {
  let ended = false

  function assertLent(): void {
    if (!ended) return
    throw new FusewireError('FW_ATOMIC', 'An atomic handler used its sql after it had returned.')
  }

  function lent(statement: SqliteStatement): SqliteStatement {
    return {
      run(...values) {
        assertLent()
        return statement.run(...values)
      },
      all(...values) {
        assertLent()
        return statement.all(...values)
      },
      get(...values) {
        assertLent()
        return statement.get(...values)
      },
    }
  }

  return {
    sql: {
      exec(sql) {
        assertLent()
        assertOneFile(sql)
        db.exec(sql)
      },
      prepare(sql) {
        assertLent()
        assertOneFile(sql)
        return lent(db.prepare(sql))
      },
    },
    end() {
      ended = true
    },
  }
}

function assertOneFile(sql: string): void {
  if (!/\battach\b/i.test(sql)) return
  throw new FusewireError(
    'FW_ATOMIC',
    'An atomic handler tried to attach another database: in WAL mode a crash can keep the half of a commit that is in one file. ' +
      "Keep its tables in the inbox's own file.",
  )
}
