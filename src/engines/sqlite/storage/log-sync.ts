import { closeSync, existsSync, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import type { DiskThread } from './disk-thread.ts'

/** Brings a write-ahead log to the disk without blocking the event loop. */
export interface LogSync {
  /**
   * Resolves when all that was written to the log so far is on disk; rejects when the disk reported an error. One `fdatasync` each: Linux
   * reports a write-back error once per open file, so a second call would say that all is well.
   */
  sync(): Promise<void>
  close(): void
}

const fdatasyncInPool = promisify(fdatasync)

/** Undefined where a database has no log: in memory, or on a file system that cannot share memory. Until the thread is ready, node's pool syncs. */
export function logSync(database: string, thread: DiskThread | undefined): LogSync | undefined {
  const path = `${database}-wal`
  if (database === '' || !existsSync(path)) return undefined
  const log = openSync(path, 'r+')
  let calls = 0
  let closed = false

  return {
    async sync() {
      calls += 1
      try {
        await (thread?.isReady() === true && !thread.isMovingLog() ? thread.sync(log) : fdatasyncInPool(log))
      } finally {
        calls -= 1
        if (closed && calls === 0) closeSync(log)
      }
    },
    close() {
      // Not while a thread syncs it: the system could give the same number to another file meanwhile.
      closed = true
      if (calls === 0) closeSync(log)
    },
  }
}
