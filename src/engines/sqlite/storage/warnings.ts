import type { Log } from '../../../model/log.ts'

/** What an operator should know of a file and its host. */
export interface Warnings {
  /** Logs warnings to this log from now on. */
  report(log: Log): void
  stuckLog(logBytes: number): void
  doubtedClock(aheadMs: number): void
  fullDisk(freeBytes: number): void
}

/** The same warning is given once, and again when it still holds this much later. */
const repeatEveryMs = 5 * 60_000

export function warnings(file: string, running: () => number): Warnings {
  const toldAt = new Map<string, number>()
  let log: Log | undefined

  function warn(fields: object, message: string): void {
    if (log === undefined || running() < (toldAt.get(message) ?? -Infinity) + repeatEveryMs) return
    toldAt.set(message, running())
    log.warn({ file, ...fields }, message)
  }

  return {
    report(to) {
      log = to
    },
    stuckLog(logBytes) {
      warn(
        { logMegabytes: Math.round(logBytes / 1e6) },
        "the inbox's write-ahead log grows and cannot be moved into the database, because a connection keeps a read transaction open. " +
          'Look for a shell, a database viewer or a backup that has the file open, and close it',
      )
    },
    fullDisk(freeBytes) {
      warn(
        { freeMegabytes: Math.round(freeBytes / 1e6) },
        'the disk of the inbox is nearly full: events are answered 503 until there is room. Make room, or prune',
      )
    },
    doubtedClock(aheadMs) {
      warn(
        { aheadMinutes: Math.round(aheadMs / 60_000) },
        "this machine's clock disagrees with the inbox's time and with the newest event. Nothing is pruned or called stale by it until an event " +
          'confirms it, or until it has disagreed for 24 hours of running time. Set the clock if it is wrong',
      )
    },
  }
}
