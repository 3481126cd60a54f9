import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'

const megabyte = 1024 * 1024

/**
 * The room on the file system of an inbox. Events are refused while there is still some, so that no gate runs for an event that cannot be
 * kept, and what settles, prunes and moves the log goes on: on a disk without any room, pruning fails, too.
 */
export interface DiskSpace {
  /** Above 8 MB (an eighth of a smaller file system), or 16 MB for events that no person waits for. */
  hasRoom(transactional: boolean): boolean
  /** Measures again: 3 us, once a second while there is more than 1 GB, otherwise each time. */
  refresh(): void
  /** Bytes that may be used, when last measured. */
  freeBytes(): number
}

const plentyBytes = 1024 * megabyte
const lookEveryMs = 1_000

/** @param onFull Called with the free bytes when an event is refused because the disk is nearly full. */
export function diskSpace(path: string, onFull: (freeBytes: number) => void): DiskSpace {
  const folder = dirname(path)
  let reserveBytes = 0
  let freeBytes = Infinity
  let lookedAt = -Infinity

  function look(): void {
    try {
      const { bavail, blocks, bsize } = statfsSync(folder)
      freeBytes = bavail * bsize
      reserveBytes = Math.min(8 * megabyte, (blocks * bsize) / 8)
    } catch {
      freeBytes = Infinity // Not every system says: then a write that fails does.
    }
    lookedAt = performance.now()
  }

  return {
    hasRoom(transactional) {
      const has = freeBytes >= reserveBytes * (transactional ? 1 : 2)
      if (!has) onFull(freeBytes)
      return has
    },
    refresh() {
      if (path === '') return
      if (freeBytes < plentyBytes || performance.now() - lookedAt >= lookEveryMs) look()
    },
    freeBytes: () => freeBytes,
  }
}
