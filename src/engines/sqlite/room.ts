import { isTransactional } from '../../events/catalogue.ts'
import { hasRoom, pressFrom } from '../../model/limit.ts'
import { measuring } from './overview.ts'
import type { SqliteSql } from './sql.ts'

/** Whether an event of a type may still be kept. */
export interface Room {
  readonly has: (type: string) => boolean
  /** Whether settled events should go before their time. */
  readonly isPressed: () => boolean
  /** Measures again, if there is a limit: 3 us. */
  refresh(): void
}

export function room(db: SqliteSql, maxBytes: () => number): Room {
  const measure = measuring(db)
  let bytes = 0
  return {
    has(type) {
      const limit = maxBytes()
      return limit === Infinity || hasRoom(bytes, limit, isTransactional(type))
    },
    isPressed: () => bytes > pressFrom(maxBytes()),
    refresh() {
      if (maxBytes() !== Infinity) bytes = measure()
    },
  }
}
