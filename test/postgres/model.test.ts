import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { postgres } from '../../src/engines/postgres/index.ts'
import { act, actions, emptyModel, finish, type World } from '../engines/model.ts'
import { anyServer, schema, type Server } from './server.ts'
import { setTime } from './time.ts'

/** More of them by night: FUSEWIRE_RUNS=10 makes ten times as many. */
const factor = Number(process.env['FUSEWIRE_RUNS'] ?? 1)

let server: Server
beforeAll(async () => {
  server = await anyServer()
})
afterAll(() => server[Symbol.asyncDispose]())

test(
  'postgres agrees with a plain model',
  async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (steps) => {
        await using inbox = await schema(server)
        let now = Date.UTC(2030, 0, 1)
        const open = () => postgres(server.url, { schema: inbox.name })
        let engine = open()
        await engine.open()
        await setTime(server.url, inbox.name, now)
        const world: World = {
          engine: () => engine,
          advance: (ms) => setTime(server.url, inbox.name, (now += ms)),
          async reopen() {
            await engine[Symbol.asyncDispose]()
            engine = open()
          },
        }
        try {
          const model = emptyModel()
          for (const step of steps) await act(model, world, step)
          await finish(model, world)
        } finally {
          await engine[Symbol.asyncDispose]()
        }
      }),
      { numRuns: 40 * factor },
    )
  },
  120_000 * factor,
)
