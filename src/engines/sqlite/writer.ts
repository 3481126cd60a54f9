import { setImmediate as turn } from 'node:timers/promises'
import type { Observer } from '../../model/observer.ts'
import { isFault } from './errors.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** Runs what changes the inbox. */
export interface Writer {
  /** Resolves when what `run` did is committed and, if durable, on disk. What is asked at one time shares a commit. */
  write<T>(run: Run<T>, options?: JobOptions): Promise<T>
  /** Tells an observer how long durable commits take. */
  observe(observer: Observer): void
  /** Resolves when everything asked for is done. */
  idle(): Promise<void>
}

/** `careful`: an earlier try met something that cannot be stored. What can go wrong alone is to go wrong alone. */
type Run<T> = (session: Session, careful: boolean) => T

interface JobOptions {
  /** On disk before it is answered. Default: true; otherwise within a second, while anything is written at all. */
  readonly durable?: boolean
  /** A throw is nothing unusual, and undoes this job alone. Default: false. */
  readonly mayThrow?: boolean
  /** It may meet what cannot be stored. It goes first, so that trying again with care repeats nothing that `mayThrow`. Default: false. */
  readonly mayMeetPoison?: boolean
}

interface Job extends Required<JobOptions> {
  /** Gives what answers the caller once it is committed. */
  run(session: Session, careful: boolean): () => void
  reject(error: unknown): void
}

/** How many jobs share a commit; each of them may be a batch. */
const commitLimit = 64
/** How long commits may go on without one that waits for the disk. */
const syncEveryMs = 1_000

export function writer(sessions: Sessions, now: () => number): Writer {
  const jobs: Job[] = []
  let working: Promise<void> | undefined
  const syncing = new Set<Promise<void>>()
  let syncedAt = -Infinity
  let observer: Observer | undefined

  async function work(): Promise<void> {
    await Promise.resolve() // Whatever else is asked for now comes along.
    while (jobs.length > 0) {
      const batch = jobs.splice(0, commitLimit)
      try {
        await commit(batch)
      } catch (error) {
        for (const job of batch) job.reject(error)
      }
      await turn() // However fast it is asked for more, the loop gets its turn.
      sessions.current()?.checkpoint()
    }
    working = undefined
  }

  async function commit(batch: readonly Job[]): Promise<void> {
    const ordered = batch.toSorted((a, b) => Number(b.mayMeetPoison) - Number(a.mayMeetPoison))
    const durable = batch.some((job) => job.durable) || now() - syncedAt >= syncEveryMs
    if (commitIn(await begun(), ordered, durable, false) === 'undone') {
      commitIn(await begun(), ordered, durable, true)
    }
    if (durable) syncedAt = now()
  }

  function begun(): Promise<Session> {
    return sessions.use((session) => {
      session.begin()
      return session
    })
  }

  /** From begin to commit nothing waits, so nothing else can slip into the transaction. */
  function commitIn(
    session: Session,
    batch: readonly Job[],
    durable: boolean,
    careful: boolean,
  ): 'committed' | 'undone' {
    const ends: End[] = []
    let startedAt = 0
    try {
      for (const job of batch) {
        const end = runIn(session, job, careful)
        if (end === undefined) {
          session.rollback()
          return 'undone'
        }
        ends.push(end)
      }
      if (durable) session.time.note(now())
      startedAt = performance.now()
      session.commit()
    } catch (error) {
      sessions.drop(session)
      throw error
    }
    if (durable) sync(session, batch, ends, startedAt)
    for (const [index, end] of ends.entries()) if (batch[index]?.durable !== true) end.answer()
    if (ends.some(({ faulty }) => faulty)) sessions.drop(session)
    return 'committed'
  }

  /** Answers those of a commit that wait for the disk, while the next ones are under way. */
  function sync(session: Session, batch: readonly Job[], ends: readonly End[], startedAt: number): void {
    const synced = session.synced().then(
      () => {
        observer?.synced?.(performance.now() - startedAt)
        for (const [index, end] of ends.entries()) if (batch[index]?.durable === true) end.answer()
      },
      (error: unknown) => {
        sessions.doubt(session)
        for (const job of batch) if (job.durable) job.reject(error)
      },
    )
    syncing.add(synced)
    void synced.then(() => syncing.delete(synced))
  }

  return {
    write(run, { durable = true, mayThrow = false, mayMeetPoison = false } = {}) {
      return new Promise((resolve, reject) => {
        jobs.push({
          durable,
          mayThrow,
          mayMeetPoison,
          reject,
          run(session, careful) {
            const value = run(session, careful)
            return () => resolve(value)
          },
        })
        working ??= work()
      })
    },
    observe(one) {
      observer = one
    },
    async idle() {
      await working
      await Promise.all(syncing)
    },
  }
}

interface End {
  answer(): void
  readonly faulty: boolean
}

/**
 * Runs a job, undefined when it threw and has to be run with care. A savepoint for each would copy every page it touches (half the append
 * rate), so the first try goes without, except for what is expected to throw.
 */
function runIn(session: Session, job: Job, careful: boolean): End | undefined {
  if (!careful && !job.mayThrow) {
    try {
      return { answer: job.run(session, false), faulty: false }
    } catch (error) {
      if (isFault(error)) throw error
      return undefined
    }
  }
  const attempted = session.attempt(() => job.run(session, careful))
  return 'value' in attempted
    ? { answer: attempted.value, faulty: false }
    : { answer: () => job.reject(attempted.error), faulty: isFault(attempted.error) }
}
