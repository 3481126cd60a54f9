import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Subject } from '../lib/benchmark.ts'
import { type Build, environmentOf } from '../lib/build.ts'
import type { Told } from './worker-program.ts'

export interface Working {
  readonly program: URL
  readonly args?: readonly string[]
  /** How many processes share the work. */
  readonly nodes: number
  /** How long the handler waits. */
  readonly handlerMs: number
  readonly open: (build: Build) => Promise<Work>
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
    async open({ ms, quick, build }) {
      const work = await open(build)
      return {
        async measure() {
          await work.fill(quick)
          const workers = Array.from({ length: nodes }, () =>
            fork(program, [work.url, String(handlerMs), ...args], { env: environmentOf(build) }),
          )
          try {
            await Promise.all(workers.map(hear))
            for (const worker of workers) worker.send('begin')
            await sleep(warmMs)
            const [before, since] = [await doneBy(workers), performance.now()]
            await sleep(ms)
            const after = await doneBy(workers)
            const handled = after.handled - before.handled
            return {
              'handled/s': (handled / (performance.now() - since)) * 1000,
              // Of the workers' processes, without the database's.
              'CPU µs/event': ((after.cpuMs - before.cpuMs) / handled) * 1000,
            }
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

interface Done {
  readonly handled: number
  readonly cpuMs: number
}

/** Of all workers together. */
async function doneBy(workers: readonly ChildProcess[]): Promise<Done> {
  const each = await Promise.all(
    workers.map(async (worker): Promise<Done> => {
      const answer = hear(worker)
      worker.send('count')
      const told = await answer
      return told === 'ready' ? { handled: 0, cpuMs: 0 } : told
    }),
  )
  return each.reduce((sum, { handled, cpuMs }) => ({
    handled: sum.handled + handled,
    cpuMs: sum.cpuMs + cpuMs,
  }))
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
