import { Worker, type WorkerOptions } from '../../src/deliver/worker.ts'
import type { Engine } from '../../src/model/engine.ts'
import type { Log } from '../../src/model/log.ts'
import type { RegisteredHandler } from '../../src/model/registered-handler.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock, type HandClock } from '../../src/testing/hand-clock.ts'

/** A worker over an engine, both on a clock of the test's. */
export interface Rig extends AsyncDisposable {
  readonly engine: Engine
  readonly worker: Worker
  readonly clock: HandClock
  /** What was logged, as JSON. */
  readonly logged: string[]
  /** Appends one event per id; events of one user share a lane. */
  append(...events: readonly { readonly id: string; readonly user?: string }[]): Promise<void>
  /** Moves time and lets the worker do all there is to do at every step. */
  pass(ms: number): Promise<void>
  state(id: string, handler?: string): Promise<string>
}

export function handlerNamed(
  name: string,
  handle: RegisteredHandler['handle'],
  options: Partial<RegisteredHandler> = {},
): RegisteredHandler {
  return { name, types: '*', ordering: 'lane', atomic: false, ...options, handle }
}

export async function rig(
  make: (clock: HandClock) => Engine,
  handlers: readonly RegisteredHandler[],
  concurrency = 4,
  options: Partial<WorkerOptions> = {},
): Promise<Rig> {
  const clock = handClock(1_800_000_000_000)
  const engine = make(clock)
  const logged: string[] = []
  const note = (fields: object, message: string) => void logged.push(JSON.stringify({ ...fields, message }))
  const log: Log = { info: note, warn: note, error: note }
  await engine.subscribe(handlers.map(({ name, types, ordering }) => ({ handler: name, types, ordering })))
  const worker = new Worker({ engine, handlers, concurrency, clock, log, ...options })
  return {
    engine,
    worker,
    clock,
    logged,
    async append(...events) {
      await engine.append(
        events.map(({ id, user = id }) => {
          const event = { type: 'user.update.complete', id, createInstant: 1, user: { id: user } }
          return arrival(id, { lane: user, body: Buffer.from(JSON.stringify({ event })) })
        }),
      )
    },
    pass: (ms) => clock.advance(ms, turns),
    async state(id, handler = 'h') {
      const kept = await engine.get(arrival(id).key)
      const delivery = kept?.deliveries.find((one) => one.handler === handler)
      return `${delivery?.state}${delivery?.reason === undefined ? '' : ` ${delivery.reason}`}`
    },
    async [Symbol.asyncDispose]() {
      await worker.stop(0)
      await engine[Symbol.asyncDispose]()
    },
  }
}

/** Enough turns of the event loop for whatever is ready to run to its end. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
}
