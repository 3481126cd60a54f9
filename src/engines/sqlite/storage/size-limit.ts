import { isTransactional } from '../../../events/catalogue.ts'
import { hasRoom, pressureLimit } from '../../../model/has-room.ts'
import type { DiskSpace } from './disk-space.ts'
import { prepareMeasureBytes } from './measure-bytes.ts'
import { walLimit } from './wal-limit.ts'
import type { SqliteSql } from '../sql.ts'

/** Whether the inbox may still grow: by its `maxBytes` and by the free space of its disk. */
export interface SizeLimit {
  /** Whether an event of this type may still be kept. */
  readonly hasRoom: (type: string) => boolean
  /** Whether settled events should be pruned before their retention ends. */
  readonly isPressed: () => boolean
  /** Measures again, if there is a limit. */
  refresh(): void
}

export interface SizeLimitOptions {
  readonly maxBytes: () => number
  /** The size of the WAL file. */
  readonly walBytes: () => number
  readonly disk: DiskSpace
}

export function createSizeLimit(db: SqliteSql, { maxBytes, walBytes, disk }: SizeLimitOptions): SizeLimit {
  const measureBytes = prepareMeasureBytes(db)
  let bytes = 0
  let excessBytes = 0
  return {
    hasRoom(type) {
      const limit = maxBytes()
      const transactional = isTransactional(type)
      if (!disk.hasRoom(transactional)) return false
      return limit === Infinity || hasRoom(bytes + excessBytes, limit, transactional)
    },
    // The size of the WAL does not count: pruning does not shrink a WAL that cannot be checkpointed.
    isPressed: () => bytes > pressureLimit(maxBytes()),
    refresh() {
      disk.refresh()
      const limit = maxBytes()
      if (limit === Infinity) return
      bytes = measureBytes()
      excessBytes = Math.max(0, walBytes() - walLimit(limit))
    },
  }
}
