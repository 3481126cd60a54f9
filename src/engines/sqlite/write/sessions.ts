import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { Subscription } from '../../../model/subscription.ts'
import { FusewireError } from '../../../model/errors.ts'
import { isBusy, isFault } from '../errors.ts'
import { startDiskThread, type DiskThread } from '../storage/disk-thread.ts'
import { openSession, type Session, type SessionOptions } from './session.ts'
import type { SqliteSql } from '../sql.ts'

/** The one session of an engine at a time: opened when needed, dropped after a fault, so that the next call finds a mended disk. */
export interface Sessions {
  /** Runs with the session; again, for a while, as long as another process holds the lock. */
  use<T>(run: (session: Session) => T): Promise<T>
  /** Subscriptions that an inbox has to have if it is opened again: another file may lie there by then. */
  remember(subscriptions: readonly Subscription[]): void
  /** The session, if one is open. */
  current(): Session | undefined
  drop(session: Session): void
  /** Drops it because the disk did not confirm what it had committed: nothing is trusted before it is known to be on disk. */
  doubt(session: Session): void
  close(): Promise<void>
}

/** FusionAuth itself waits 2 s for an answer: beyond that we would acknowledge to nobody. */
const patienceMs = 1_500

export function sessions(
  file: string | SqliteSql,
  clock: Clock,
  options: Omit<SessionOptions, 'thread'>,
): Sessions {
  const subscribed = new Map<string, Subscription>()
  let current: Session | undefined
  let closed = false
  let doubtful = false
  let thread: DiskThread | undefined
  /** The thread's connection is closed before the file is opened again: other files may lie there by then. */
  let closing: Promise<void> | undefined

  function open(): Session {
    if (closed) {
      throw new FusewireError('FW_STOPPED', 'This inbox was closed. Build a new engine to open it again.')
    }
    if (current !== undefined) return current
    // Only now: a session goes on without a thread, and where none can be had each try costs 100 us.
    if (thread === undefined || thread.hasEnded()) thread = startDiskThread()
    current = openSession(file, clock, [...subscribed.values()], { ...options, thread })
    return current
  }

  /**
   * After a sync that failed the system may take what it has in memory for written, and say of the next sync that all is well. So all of
   * it is written once more, from the log to the database.
   */
  async function writeAgain(session: Session): Promise<void> {
    try {
      if (!(await session.emptyLog())) throw unsynced()
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
    const released = thread?.closeConnection().catch(() => {}) // A connection that cannot be closed is forgotten all the same.
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
          if (waitedMs >= patienceMs) throw locked(file, error)
        }
        await pause(pauseMs) // In real time, whatever clock the inbox has: so does the process that holds the lock.
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

function unsynced(): FusewireError {
  return new FusewireError(
    'FW_INBOX_LOCKED',
    'A sync of the inbox failed, and its write-ahead log cannot be written once more yet, because another connection reads an older state ' +
      'of the database. Close it (a shell, a backup).',
  )
}

function locked(file: string | SqliteSql, cause: unknown): FusewireError {
  return new FusewireError(
    'FW_INBOX_LOCKED',
    `${typeof file === 'string' ? file : 'The inbox'} has been locked by another process for ${patienceMs} ms. ` +
      'Look for a transaction left open: a shell, a backup that is not an online one.',
    { cause },
  )
}
