import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Subject } from '../lib/benchmark.ts'
import type { Told } from './worker-program.ts'

export interface Working {
  readonly program: URL
  readonly args?: readonly string[]
  /** How many processes share the work. */
  readonly nodes: number
  /** How long the handler waits. */
  readonly handlerMs: number
  readonly open: () => Promise<Work>
}

/** Something to work off. */
export interface Work extends AsyncDisposable {
  readonly url: string
  /** Makes sure that there is enough to do. */
  fill(quick: boolean): Promise<void>
}

/** Until everything runs at its pace. */
const warmMs = 500

/** How fast worker programs handle what waits for them. */
export function working(name: string, { program, args = [], nodes, handlerMs, open }: Working): Subject {
  return {
    name,
    async open({ ms, quick }) {
      const work = await open()
      return {
        async measure() {
          await work.fill(quick)
          const workers = Array.from({ length: nodes }, () =>
            fork(program, [work.url, String(handlerMs), ...args]),
          )
          try {
            await Promise.all(workers.map(hear))
            for (const worker of workers) worker.send('begin')
            await sleep(warmMs)
            const [before, since] = [await handledBy(workers), performance.now()]
            await sleep(ms)
            const handled = (await handledBy(workers)) - before
            return { 'handled/s': (handled / (performance.now() - since)) * 1000 }
          } finally {
            for (const worker of workers) await end(worker)
          }
        },
        async close() {
          await work[Symbol.asyncDispose]()
        },
      }
    },
  }
}

async function handledBy(workers: readonly ChildProcess[]): Promise<number> {
  const counts = workers.map(async (worker) => {
    const answer = hear(worker)
    worker.send('count')
    const told = await answer
    return told === 'ready' ? 0 : told.handled
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

async function hear(worker: ChildProcess): Promise<Told> {
  const [told] = await once(worker, 'message')
  return told as Told // Our own programs speak it.
}

async function end(worker: ChildProcess): Promise<void> {
  const exited = once(worker, 'exit')
  worker.kill('SIGKILL')
  await exited
}
