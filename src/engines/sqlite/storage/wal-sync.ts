import { closeSync, existsSync, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import type { DiskThread } from './disk-thread.ts'

/** Writes a WAL to the disk without blocking the event loop. */
export interface WalSync {
  /**
   * Resolves when everything written to the WAL so far is on disk; rejects when the disk reported an error. One `fdatasync` for each call:
   * Linux reports a write-back error once per open file, so a second `fdatasync` would report success.
   */
  sync(): Promise<void>
  close(): void
}

const fdatasyncInPool = promisify(fdatasync)

/**
 * Undefined where a database has no WAL: in memory, or on a file system without shared memory. Until the thread is ready, and while it
 * checkpoints, node's thread pool syncs.
 */
export function openWalSync(database: string, thread: DiskThread | undefined): WalSync | undefined {
  const path = `${database}-wal`
  if (database === '' || !existsSync(path)) return undefined
  const wal = openSync(path, 'r+')
  let calls = 0
  let closed = false

  return {
    async sync() {
      calls += 1
      try {
        const useThread = thread?.isReady() === true && !thread.isCheckpointing()
        await (useThread ? thread.sync(wal) : fdatasyncInPool(wal))
      } finally {
        calls -= 1
        if (closed && calls === 0) closeSync(wal)
      }
    },
    close() {
      // Not during a sync: the system could give the same descriptor to another file.
      closed = true
      if (calls === 0) closeSync(wal)
    },
  }
}
