import { setImmediate as nextIteration } from 'node:timers/promises'
import type { Observer } from '../../../model/observer.ts'
import { isFault } from '../errors.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** Runs the writes of an inbox. Jobs that wait at the same time share a commit. */
export interface Writer {
  /**
   * Resolves when the writes of `run` are committed and, if durable, on disk. Durable jobs that come while the disk syncs share the next
   * commit.
   */
  write<T>(run: Run<T>, options?: JobOptions): Promise<T>
  /** Reports how long durable commits take. */
  observe(observer: Observer): void
  /** Resolves when no job is left. */
  idle(): Promise<void>
}

/** `careful`: the first try failed. In this second try each arrival fails by itself, so that the others are stored. */
type Run<T> = (session: Session, careful: boolean) => T

interface JobOptions {
  /** Answers only when the commit is on disk. Default: true. Otherwise it is on disk within a second, as long as the writer has work. */
  readonly durable?: boolean
  /** Expected to throw: runs in a savepoint, so that a throw undoes this job alone. Default: false. */
  readonly mayThrow?: boolean
  /** May meet an arrival that cannot be stored. Runs before `mayThrow` jobs, so that the second try never runs those twice. Default: false. */
  readonly mayMeetPoison?: boolean
}

interface Job extends Required<JobOptions> {
  /** Returns a function that answers the caller, to be called after the commit. */
  run(session: Session, careful: boolean): () => void
  reject(error: unknown): void
}

/** How many jobs share a commit at most; each of them may be a batch. */
const commitLimit = 64
/** After this time without a durable commit the next commit is synced, too. */
const syncEveryMs = 1_000

export function createWriter(sessions: Sessions, now: () => number): Writer {
  let jobs: Job[] = []
  let working: Promise<void> | undefined
  /** One sync at a time: jobs that come meanwhile share the next one. */
  let syncing: Promise<void> | undefined
  let syncedAt = -Infinity
  let observer: Observer | undefined

  async function work(): Promise<void> {
    await Promise.resolve() // Jobs added in the same tick join the first commit.
    for (let batch = takeBatch(); batch.length > 0; batch = takeBatch()) {
      try {
        await commit(batch)
      } catch (error) {
        for (const job of batch) job.reject(error)
      }
      await nextIteration() // The event loop runs other work between two commits, however many jobs wait.
      await sessions.current()?.checkpoint()
    }
    working = undefined
  }

  function takeBatch(): readonly Job[] {
    const batch = jobs.filter(({ durable }) => !durable || syncing === undefined).slice(0, commitLimit)
    jobs = jobs.filter((job) => !batch.includes(job))
    return batch
  }

  async function commit(batch: readonly Job[]): Promise<void> {
    const ordered = batch.toSorted((a, b) => Number(b.mayMeetPoison) - Number(a.mayMeetPoison))
    const durable =
      batch.some((job) => job.durable) || (syncing === undefined && now() - syncedAt >= syncEveryMs)
    if (commitIn(await begin(), ordered, durable, false) === 'undone') {
      commitIn(await begin(), ordered, durable, true)
    }
    if (durable) syncedAt = now()
  }

  function begin(): Promise<Session> {
    return sessions.use((session) => {
      session.begin()
      return session
    })
  }

  /** Synchronous from begin to commit, so that no other job can run in the transaction. */
  function commitIn(
    session: Session,
    batch: readonly Job[],
    durable: boolean,
    careful: boolean,
  ): 'committed' | 'undone' {
    const ends: FinishedJob[] = []
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
      if (durable) session.clock.saveSometimes()
      startedAt = performance.now()
      session.commit()
    } catch (error) {
      sessions.drop(session)
      throw error
    }
    if (durable) syncing = sync(session, ends, startedAt)
    for (const { job, answer } of ends) if (!job.durable) answer()
    if (ends.some(({ isFault }) => isFault)) sessions.drop(session)
    return 'committed'
  }

  /** Answers the durable jobs of a commit when they are on disk. The next commit runs meanwhile. */
  async function sync(session: Session, ends: readonly FinishedJob[], startedAt: number): Promise<void> {
    const waiting = ends.filter(({ job }) => job.durable)
    try {
      await session.sync()
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

interface FinishedJob {
  readonly job: Job
  readonly answer: () => void
  readonly isFault: boolean
}

/**
 * Runs a job; undefined when it threw and needs the second, careful try. A savepoint copies every page that the job touches, which halves the
 * append rate, so the first try uses none except for jobs that are expected to throw.
 */
function runIn(session: Session, job: Job, careful: boolean): FinishedJob | undefined {
  if (!careful && !job.mayThrow) {
    try {
      return { job, answer: job.run(session, false), isFault: false }
    } catch (error) {
      if (isFault(error)) throw error
      return undefined
    }
  }
  const result = session.runInSavepoint(() => job.run(session, careful))
  return 'value' in result
    ? { job, answer: result.value, isFault: false }
    : { job, answer: () => job.reject(result.error), isFault: isFault(result.error) }
}
