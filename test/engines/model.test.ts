import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { test } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Engine } from '../../src/model/engine.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { act, actions, emptyModel, finish, type World } from './model.ts'
import { place } from './places.ts'

/** More of them by night: FUSEWIRE_RUNS=10 makes ten times as many. */
const factor = Number(process.env['FUSEWIRE_RUNS'] ?? 1)

function agrees(name: string, runs: number, store: () => { open(clock: Clock): Engine } & Disposable): void {
  test(
    `${name} agrees with a plain model`,
    async () => {
      await fc.assert(
        fc.asyncProperty(actions, async (steps) => {
          using opener = store()
          const clock = handClock()
          let engine = opener.open(clock)
          const world: World = {
            engine: () => engine,
            advance: (ms) => clock.advance(ms),
            async reopen() {
              const next = opener.open(clock)
              if (next === engine) return
              await engine[Symbol.asyncDispose]()
              engine = next
            },
          }
          const model = emptyModel()
          for (const step of steps) await act(model, world, step)
          await finish(model, world)
          await engine[Symbol.asyncDispose]()
        }),
        { numRuns: runs * factor },
      )
    },
    180_000 * factor,
  )
}

agrees('memory', 5_000, () => {
  let engine: Engine | undefined
  return { open: (clock) => (engine ??= memory({ clock })), [Symbol.dispose]: () => {} }
})

agrees('sqlite, on one handle in memory,', 5_000, () => {
  const db = new DatabaseSync(':memory:')
  return {
    open: (clock) => sqlite(db, { clock, allowVolatile: true }),
    [Symbol.dispose]: () => db.close(),
  }
})

agrees('sqlite, on a file,', 150, () => {
  const { file, [Symbol.dispose]: remove } = place()
  return { open: (clock) => sqlite(file, { clock, allowVolatile: true }), [Symbol.dispose]: remove }
})
