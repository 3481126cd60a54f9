import { setTimeout as pause } from 'node:timers/promises'
import type { Subscription } from '../../model/delivery.ts'
import { FusewireError } from '../../model/errors.ts'
import { isBusy, isFault } from './errors.ts'
import { openSession, type Session } from './session.ts'
import type { SqliteSql } from './sql.ts'

/** The one session of an engine at a time: opened when needed, dropped after a fault, so that the next call finds a mended disk. */
export interface Sessions {
  /** Runs with the session; again, for a while, as long as another process holds the lock. */
  use<T>(run: (session: Session) => T): Promise<T>
  /** Subscriptions that an inbox has to have if it is opened again: another file may lie there by then. */
  remember(subscriptions: readonly Subscription[]): void
  /** The session, if one is open. */
  current(): Session | undefined
  drop(session: Session): void
  close(): void
}

/** FusionAuth itself waits 2 s for an answer: beyond that we would acknowledge to nobody. */
const patienceMs = 1_500

export function sessions(
  file: string | SqliteSql,
  now: () => number,
  allowVolatile: boolean,
  maxBytes: () => number,
): Sessions {
  const subscribed = new Map<string, Subscription>()
  let current: Session | undefined
  let closed = false

  function open(): Session {
    if (closed) {
      throw new FusewireError('FW_STOPPED', 'This inbox was closed. Build a new engine to open it again.')
    }
    current ??= openSession(file, now(), allowVolatile, [...subscribed.values()], maxBytes)
    return current
  }

  function drop(session: Session): void {
    if (current !== session) return
    current = undefined
    session.close()
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
    close() {
      closed = true
      if (current !== undefined) drop(current)
    },
  }
}

function locked(file: string | SqliteSql, cause: unknown): FusewireError {
  return new FusewireError(
    'FW_INBOX_LOCKED',
    `${typeof file === 'string' ? file : 'The inbox'} has been locked by another process for ${patienceMs} ms. ` +
      'Look for a transaction left open: a shell, a backup that is not an online one.',
    { cause },
  )
}
