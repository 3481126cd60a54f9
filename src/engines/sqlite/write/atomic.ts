import { isThenable } from '../../../lib/is-thenable.ts'
import { FusewireError } from '../../../model/errors.ts'
import type { SqliteSql, SqliteStatement } from '../sql.ts'

/**
 * Runs an atomic handler inside the caller's transaction and throws what it threw. It must be done when it returns: what an async one
 * wrote after its first await would stand whether or not its event is settled, and an append could slip into its transaction.
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
  void Promise.resolve(result).catch(() => {}) // It is refused whatever becomes of it.
  throw new FusewireError(
    'FW_ATOMIC',
    'An atomic handler on SQLite returned a promise. Make it a plain function that is done when it returns, or leave atomic out.',
  )
}

/** The database, for as long as the handler runs. */
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
    "An atomic handler tried to attach another database: in WAL mode a crash can keep one file's half of a commit. " +
      "Keep its tables in the inbox's own file.",
  )
}
