import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'

const megabyte = 1024 * 1024

/**
 * The free space of the file system that holds the inbox. Events are refused while some space is left, for two reasons: no gate should run
 * for an event that cannot be kept, and settling, pruning and checkpointing need space, too: on a full disk even pruning fails.
 */
export interface DiskSpace {
  /** Whether more than 8 MB are free (an eighth of a smaller file system), or 16 MB for events that are not transactional. */
  hasRoom(transactional: boolean): boolean
  /** Measures again: 3 us. At most once a second while more than 1 GB is free, otherwise each time. */
  refresh(): void
  /** Free bytes at the last measurement. */
  freeBytes(): number
}

const plentyBytes = 1024 * megabyte
const measureEveryMs = 1_000

/** @param onFull Called with the free bytes when an event is refused because the disk is nearly full. */
export function createDiskSpace(path: string, onFull: (freeBytes: number) => void): DiskSpace {
  const folder = dirname(path)
  let reserveBytes = 0
  let freeBytes = Infinity
  let measuredAt = -Infinity

  function measure(): void {
    try {
      const { bavail, blocks, bsize } = statfsSync(folder)
      freeBytes = bavail * bsize
      reserveBytes = Math.min(8 * megabyte, (blocks * bsize) / 8)
    } catch {
      freeBytes = Infinity // Not every system supports statfs. Without it, a failing write reports the full disk.
    }
    measuredAt = performance.now()
  }

  return {
    hasRoom(transactional) {
      const has = freeBytes >= reserveBytes * (transactional ? 1 : 2)
      if (!has) onFull(freeBytes)
      return has
    },
    refresh() {
      if (path === '') return
      if (freeBytes < plentyBytes || performance.now() - measuredAt >= measureEveryMs) measure()
    },
    freeBytes: () => freeBytes,
  }
}
