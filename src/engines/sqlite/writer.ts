import { setImmediate as turn } from 'node:timers/promises'
import { isFault } from './errors.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** Runs what changes the inbox. */
export interface Writer {
  /** Resolves when what `run` did is committed; on disk, if it is `durable`. What is asked in one turn of the loop shares a commit. */
  write<T>(run: (session: Session) => T, options?: { readonly durable: boolean }): Promise<T>
  /** Resolves when everything asked for is done. */
  idle(): Promise<void>
}

interface Job {
  readonly durable: boolean
  /** Gives what answers the caller once it is committed. */
  run(session: Session): () => void
  reject(error: unknown): void
}

/** How many jobs share a commit; each of them may be a batch. */
const commitLimit = 64

export function writer(sessions: Sessions, now: () => number): Writer {
  const jobs: Job[] = []
  let working: Promise<void> | undefined

  async function work(): Promise<void> {
    while (jobs.length > 0) {
      await turn()
      await commit(jobs.splice(0, commitLimit))
    }
    working = undefined
  }

  async function commit(batch: readonly Job[]): Promise<void> {
    const durable = batch.some((job) => job.durable)
    try {
      const session = await sessions.use((open) => {
        open.begin(durable)
        return open
      })
      commitIn(session, batch, durable)
    } catch (error) {
      for (const job of batch) job.reject(error)
    }
  }

  /** From begin to commit nothing waits, so nothing else can slip into the transaction. */
  function commitIn(session: Session, batch: readonly Job[], durable: boolean): void {
    const answers: (() => void)[] = []
    let faulty = false
    try {
      for (const job of batch) {
        const attempted = session.attempt(() => job.run(session))
        if ('value' in attempted) {
          answers.push(attempted.value)
        } else {
          answers.push(() => job.reject(attempted.error))
          faulty ||= isFault(attempted.error)
        }
      }
      if (durable) session.time.note(now())
      session.commit()
    } catch (error) {
      sessions.drop(session)
      throw error
    }
    for (const answer of answers) answer()
    if (faulty) sessions.drop(session)
    else session.checkpoint()
  }

  return {
    write(run, { durable } = { durable: true }) {
      return new Promise((resolve, reject) => {
        jobs.push({
          durable,
          reject,
          run(session) {
            const value = run(session)
            return () => resolve(value)
          },
        })
        working ??= work()
      })
    },
    idle: async () => working,
  }
}
