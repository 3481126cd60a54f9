import type { Log } from '../../../model/log.ts'

/** Warnings about the file of an inbox and its host, for an operator. */
export interface Warnings {
  /** Logs to this log from now on. */
  report(log: Log): void
  stuckWal(walBytes: number): void
  doubtedClock(aheadMs: number): void
  fullDisk(freeBytes: number): void
}

/** The same warning is logged at most once in this time. */
const repeatEveryMs = 5 * 60_000

export function createWarnings(file: string, running: () => number): Warnings {
  const warnedAt = new Map<string, number>()
  let log: Log | undefined

  function warn(fields: object, message: string): void {
    if (log === undefined || running() < (warnedAt.get(message) ?? -Infinity) + repeatEveryMs) return
    warnedAt.set(message, running())
    log.warn({ file, ...fields }, message)
  }

  return {
    report(to) {
      log = to
    },
    stuckWal(walBytes) {
      warn(
        { logMegabytes: Math.round(walBytes / 1e6) },
        "the inbox's write-ahead log (WAL) grows and cannot be checkpointed, because a connection keeps a read transaction open. " +
          'Look for a shell, a database viewer or a backup that has the file open, and close it',
      )
    },
    fullDisk(freeBytes) {
      warn(
        { freeMegabytes: Math.round(freeBytes / 1e6) },
        'the disk of the inbox is nearly full: events are answered 503 until space is free. Free disk space, or prune the inbox',
      )
    },
    doubtedClock(aheadMs) {
      warn(
        { aheadMinutes: Math.round(aheadMs / 60_000) },
        "this machine's clock disagrees with the inbox's time and with the newest event. It is not used to prune events or to call them stale until an event " +
          'confirms it or it has disagreed for 24 hours of running time. Set the clock if it is wrong',
      )
    },
  }
}
