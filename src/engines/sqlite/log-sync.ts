import { closeSync, existsSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'

/** Brings a write-ahead log to the disk beside this thread, which has other things to do in the milliseconds that takes. */
export interface LogSync {
  /** Resolves when all that was written to the log so far is on disk. */
  sync(): Promise<void>
  close(): void
}

/** What waits longer for one of node's threads is done in this one: their other work must not keep acknowledgements waiting. */
const patienceMs = 100

/** Undefined where a database has no log: in memory, or on a file system that cannot share memory. */
export function logSync(database: string): LogSync | undefined {
  const path = `${database}-wal`
  if (database === '' || !existsSync(path)) return undefined
  const log = openSync(path, 'r+')
  let calls = 0
  let closed = false

  return {
    sync: () =>
      new Promise((resolve, reject) => {
        const impatient = setTimeout(() => {
          try {
            fdatasyncSync(log)
            resolve()
          } catch (error) {
            reject(error)
          }
        }, patienceMs)
        calls += 1
        fdatasync(log, (error) => {
          clearTimeout(impatient)
          calls -= 1
          if (closed && calls === 0) closeSync(log)
          if (error === null) resolve()
          else reject(error)
        })
      }),
    close() {
      // Not while a thread works on it: its number would be another file's by then.
      closed = true
      if (calls === 0) closeSync(log)
    },
  }
}
