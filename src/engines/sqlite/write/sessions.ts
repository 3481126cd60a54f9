import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { Subscription } from '../../../model/subscription.ts'
import { FusewireError } from '../../../model/errors.ts'
import { isBusy, isFault } from '../errors.ts'
import { startDiskThread, type DiskThread } from '../storage/disk-thread.ts'
import { openSession, type Session, type SessionOptions } from './session.ts'
import type { SqliteSql } from '../sql.ts'

/** Holds the one session of an engine. Opens it when needed and drops it after a fault, so that the next call tries the disk again. */
export interface Sessions {
  /** Runs a function with the session. While another process holds the lock it tries again, for up to `lockTimeoutMs`. */
  use<T>(run: (session: Session) => T): Promise<T>
  /** Subscriptions to write when the file is opened again: it may be another file by then. */
  remember(subscriptions: readonly Subscription[]): void
  /** The session, if one is open. */
  current(): Session | undefined
  drop(session: Session): void
  /** Drops a session whose sync failed: before the next use, all its commits are written to the disk once more. */
  doubt(session: Session): void
  close(): Promise<void>
}

/** FusionAuth waits 2 s for an answer by default; nobody reads a later one. */
const lockTimeoutMs = 1_500

export function createSessions(
  file: string | SqliteSql,
  clock: Clock,
  options: Omit<SessionOptions, 'startThread'>,
): Sessions {
  const subscribed = new Map<string, Subscription>()
  let current: Session | undefined
  let closed = false
  let doubtful = false
  let thread: DiskThread | undefined
  /** Closes the thread's connection. The file is opened again only after that, because it may be another file by then. */
  let closing: Promise<void> | undefined

  function open(): Session {
    if (closed) {
      throw new FusewireError('FW_STOPPED', 'This inbox was closed. Build a new engine to open it again.')
    }
    if (current !== undefined) return current
    current = openSession(file, clock, [...subscribed.values()], { ...options, startThread })
    return current
  }

  /** Only when a session opens: a session works without a thread, and where none can start each try costs 100 us. */
  function startThread(): DiskThread | undefined {
    if (thread === undefined || thread.hasEnded()) thread = startDiskThread()
    return thread
  }

  /**
   * After a failed sync the system may treat its cached pages as written, so that the next sync succeeds although they are lost. A truncating
   * checkpoint writes all commits once more, from the WAL to the database.
   */
  async function writeAgain(session: Session): Promise<void> {
    try {
      if (!(await session.truncateWal())) throw unsyncedError()
      doubtful = false
    } catch (error) {
      drop(session)
      throw error
    }
  }

  function drop(session: Session): void {
    if (current !== session) return
    current = undefined
    session.close()
    const released = thread?.closeConnection().catch(() => {}) // The thread forgets a connection even if it cannot close it.
    closing = released?.then(() => {
      closing = undefined
    })
  }

  function useOnce<T>(run: (session: Session) => T): T {
    const session = open()
    try {
      return run(session)
    } catch (error) {
      if (isFault(error)) drop(session)
      throw error
    }
  }

  return {
    async use(run) {
      let waitedMs = 0
      for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
        try {
          if (closing !== undefined) await closing
          if (doubtful) await writeAgain(open())
          return useOnce(run)
        } catch (error) {
          if (!isBusy(error)) throw error
          if (waitedMs >= lockTimeoutMs) throw lockedError(file, error)
        }
        await pause(pauseMs) // Real time, whatever clock the inbox has: the process that holds the lock lives in it, too.
        waitedMs += pauseMs
      }
    },
    remember(subscriptions) {
      for (const subscription of subscriptions) subscribed.set(subscription.handler, subscription)
    },
    current: () => current,
    drop,
    doubt(session) {
      doubtful = true
      drop(session)
    },
    async close() {
      closed = true
      if (current !== undefined) drop(current)
      await thread?.end()
    },
  }
}

function unsyncedError(): FusewireError {
  return new FusewireError(
    'FW_INBOX_LOCKED',
    'An fsync of the inbox failed, and its write-ahead log (WAL) cannot be checkpointed because another connection still reads an older ' +
      'snapshot. Close it (a shell, a backup) and retry.',
  )
}

function lockedError(file: string | SqliteSql, cause: unknown): FusewireError {
  return new FusewireError(
    'FW_INBOX_LOCKED',
    `${typeof file === 'string' ? file : 'The inbox'} has been locked by another process for ${lockTimeoutMs} ms. ` +
      'Look for an open transaction: a shell, or a backup that is not an online backup.',
    { cause },
  )
}
