import { setImmediate as nextTurn } from 'node:timers/promises'
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
  /** Resolves when the worker waits for time to pass or for an event: no call of the engine is under way, and none begins. */
  quiet(): Promise<void>
  /** Moves time on and waits at every timer until the worker is quiet. */
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
  const { engine, quiet } = watchCalls(make(clock))
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
    quiet,
    pass: (ms) => clock.advance(ms, quiet),
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

/** The same engine, and a promise for the moment when nothing calls it. */
function watchCalls(engine: Engine): { readonly engine: Engine; readonly quiet: () => Promise<void> } {
  let begun = 0
  let ended = 0
  const end = () => void ended++
  const watched = new Proxy(engine, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        const result: unknown = member.apply(target, given)
        if (!(result instanceof Promise)) return result
        begun++
        result.then(end, end)
        return result
      }
    },
  })
  return {
    engine: watched,
    async quiet() {
      // Between two calls a worker, and the handlers of these tests, wait for the event loop once.
      for (let turns = 0, seen = begun; turns < 4; turns++) {
        await nextTurn()
        if (seen !== begun || begun !== ended) turns = -1
        seen = begun
      }
    },
  }
}
