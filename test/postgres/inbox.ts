import { postgres } from 'fusewire/postgres'
import type { Engine } from '../../src/model/engine.ts'
import { handClock, type HandClock } from '../../src/testing/hand-clock.ts'
import { schema, type Server } from './server.ts'

/** An engine on tables of its own, with handlers that want everything; gone at the end. */
export async function inboxWith(
  server: Server,
  ...handlers: readonly string[]
): Promise<{ readonly name: string; readonly engine: Engine; readonly clock: HandClock } & AsyncDisposable> {
  const { name, [Symbol.asyncDispose]: drop } = await schema(server)
  const clock = handClock()
  const engine = postgres(server.url, { schema: name, clock })
  await engine.subscribe(handlers.map((handler) => ({ handler, types: '*', ordering: 'lane' })))
  return {
    name,
    engine,
    clock,
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
      await drop()
    },
  }
}
