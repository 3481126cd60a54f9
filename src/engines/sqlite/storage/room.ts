import { isTransactional } from '../../../events/catalogue.ts'
import { hasRoom, pressureLimit } from '../../../model/has-room.ts'
import type { DiskSpace } from './disk-space.ts'
import { logLimit } from './log-limit.ts'
import { measuring } from '../tend/overview.ts'
import type { SqliteSql } from '../sql.ts'

/** Whether an event of a type may still be kept. */
export interface Room {
  readonly has: (type: string) => boolean
  /** Whether settled events should go before their time. */
  readonly isPressed: () => boolean
  /** Measures again, if there is a limit: 3 us. */
  refresh(): void
}

export interface RoomOptions {
  readonly maxBytes: () => number
  /** The size of the write-ahead log's file. */
  readonly logBytes: () => number
  readonly disk: DiskSpace
}

export function room(db: SqliteSql, { maxBytes, logBytes, disk }: RoomOptions): Room {
  const measure = measuring(db)
  let bytes = 0
  let excessBytes = 0
  return {
    has(type) {
      const limit = maxBytes()
      const transactional = isTransactional(type)
      if (!disk.hasRoom(transactional)) return false
      return limit === Infinity || hasRoom(bytes + excessBytes, limit, transactional)
    },
    // Pruning does not make a log smaller that cannot be moved: only what the tables hold presses.
    isPressed: () => bytes > pressureLimit(maxBytes()),
    refresh() {
      disk.refresh()
      const limit = maxBytes()
      if (limit === Infinity) return
      bytes = measure()
      excessBytes = Math.max(0, logBytes() - logLimit(limit))
    },
  }
}
