import { Worker } from '../../../src/deliver/worker.ts'
import { postgres } from '../../../src/engines/postgres/index.ts'
import { sqlite } from '../../../src/engines/sqlite/index.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import type { HandlerRun } from '../../../src/model/registered-handler.ts'

/** What a process is told that delivers until nothing is pending, as JSON in its first argument. */
export interface CrashingPlan {
  readonly inbox: { readonly file: string } | { readonly url: string; readonly schema: string }
  readonly leaseMs: number
  readonly handlers: readonly { readonly name: string; readonly maxAttempts?: number }[]
  /** `handler id`, of deliveries whose attempt kills the process after 100 ms. */
  readonly guilty: readonly string[]
  /** How long every other attempt takes. */
  readonly takesMs: number
  /** A handler that blocks the thread, and for how long. */
  readonly blocks?: { readonly handler: string; readonly ms: number }
  /** Begins to deliver when its standard input ends. */
  readonly waits?: boolean
}

const plan: CrashingPlan = JSON.parse(process.argv[2] ?? '')
const engine =
  'file' in plan.inbox
    ? sqlite(plan.inbox.file, { allowVolatile: true })
    : postgres(plan.inbox.url, { schema: plan.inbox.schema })
const print = (fields: object) => console.log(JSON.stringify(fields))
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const worker = new Worker({
  engine,
  handlers: plan.handlers.map(({ name, maxAttempts }) => ({
    name,
    types: '*',
    ordering: 'lane',
    atomic: false,
    ...(maxAttempts !== undefined && { maxAttempts }),
    async handle({ event, attempt }: HandlerRun) {
      print({ began: `${name} ${event.id}`, attempt, at: Date.now() })
      if (plan.blocks?.handler === name) {
        const until = performance.now() + plan.blocks.ms
        while (performance.now() < until);
      }
      if (plan.guilty.includes(`${name} ${event.id}`)) {
        await pause(100)
        process.kill(process.pid, 'SIGKILL')
      }
      await pause(plan.takesMs)
      print({ ended: `${name} ${event.id}`, attempt, at: Date.now() })
    },
  })),
  concurrency: 16,
  clock: systemClock,
  log: {
    info() {},
    warn: (fields, message) => print({ ...fields, message }),
    error: (fields, message) => print({ ...fields, message }),
  },
  leaseMs: plan.leaseMs,
})

if (plan.waits === true) for await (const _ of process.stdin);
worker.start()
for (;;) {
  await pause(50)
  const { handlers } = await engine.stats()
  if (handlers.every(({ pending }) => pending === 0)) break
}
await worker.stop(1_000)
await engine[Symbol.asyncDispose]()
