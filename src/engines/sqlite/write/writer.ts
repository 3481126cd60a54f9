import { setImmediate as turn } from 'node:timers/promises'
import type { Observer } from '../../../model/observer.ts'
import { isFault } from '../errors.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** Runs what changes the inbox. */
export interface Writer {
  /**
   * Resolves when what `run` did is committed and, if durable, on disk. What is asked at one time shares a commit, and what is to be on
   * disk and asked while that is busy shares the next.
   */
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
  let jobs: Job[] = []
  let working: Promise<void> | undefined
  /** One at a time: while the disk is busy more gathers for the next. */
  let syncing: Promise<void> | undefined
  let syncedAt = -Infinity
  let observer: Observer | undefined

  async function work(): Promise<void> {
    await Promise.resolve() // Whatever else is asked for now comes along.
    for (let batch = take(); batch.length > 0; batch = take()) {
      try {
        await commit(batch)
      } catch (error) {
        for (const job of batch) job.reject(error)
      }
      await turn() // However fast it is asked for more, the loop gets its turn.
      await sessions.current()?.checkpoint()
    }
    working = undefined
  }

  function take(): readonly Job[] {
    const batch = jobs.filter(({ durable }) => !durable || syncing === undefined).slice(0, commitLimit)
    jobs = jobs.filter((job) => !batch.includes(job))
    return batch
  }

  async function commit(batch: readonly Job[]): Promise<void> {
    const ordered = batch.toSorted((a, b) => Number(b.mayMeetPoison) - Number(a.mayMeetPoison))
    const durable =
      batch.some((job) => job.durable) || (syncing === undefined && now() - syncedAt >= syncEveryMs)
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
      if (durable) session.time.note()
      startedAt = performance.now()
      session.commit()
    } catch (error) {
      sessions.drop(session)
      throw error
    }
    if (durable) syncing = sync(session, ends, startedAt)
    for (const { job, answer } of ends) if (!job.durable) answer()
    if (ends.some(({ faulty }) => faulty)) sessions.drop(session)
    return 'committed'
  }

  /** Answers those of a commit that wait for the disk, while the next ones are under way. */
  async function sync(session: Session, ends: readonly End[], startedAt: number): Promise<void> {
    const waiting = ends.filter(({ job }) => job.durable)
    try {
      await session.synced()
      observer?.synced?.(performance.now() - startedAt)
      for (const { answer } of waiting) answer()
    } catch (error) {
      sessions.doubt(session)
      for (const { job } of waiting) job.reject(error)
    }
    syncing = undefined
    if (jobs.length > 0) working ??= work()
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
      while (working !== undefined || syncing !== undefined) await (working ?? syncing)
    },
  }
}

interface End {
  readonly job: Job
  readonly answer: () => void
  readonly faulty: boolean
}

/**
 * Runs a job, undefined when it threw and has to be run with care. A savepoint for each would copy every page it touches (half the append
 * rate), so the first try goes without, except for what is expected to throw.
 */
function runIn(session: Session, job: Job, careful: boolean): End | undefined {
  if (!careful && !job.mayThrow) {
    try {
      return { job, answer: job.run(session, false), faulty: false }
    } catch (error) {
      if (isFault(error)) throw error
      return undefined
    }
  }
  const attempted = session.attempt(() => job.run(session, careful))
  return 'value' in attempted
    ? { job, answer: attempted.value, faulty: false }
    : { job, answer: () => job.reject(attempted.error), faulty: isFault(attempted.error) }
}
