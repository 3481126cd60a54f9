import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Maintenance } from '../../src/deliver/maintenance.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import type { Retention } from '../../src/model/retention.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'

const log = { info() {}, warn() {}, error() {} }
const dayMs = 24 * 60 * 60_000
/** The engine of these tests is done within one turn of the event loop. */
const turn = () => nextTurn()

function rig(retention: Retention | 'none' = {}) {
  const clock = handClock()
  const engine = memory({ clock })
  const { tend } = engine
  if (tend === undefined) throw new Error('memory can be tended')
  const start = () => {
    const maintenance = new Maintenance({ tend, handlers: ['a'], retention, clock, log })
    maintenance.start()
    return maintenance
  }
  const append = (ids: readonly string[]) =>
    engine.append(ids.map((id) => arrival(id, { receivedAt: clock.now(), createInstant: clock.now() })))
  return { clock, engine, tend, start, append }
}

test('prunes what has outlived its retention, and goes on doing so', async () => {
  const { clock, tend, start, append } = rig()
  const maintenance = start()
  await append(['1'])
  await clock.advance(2 * dayMs, turn)
  await append(['2'])
  expect((await tend.overview()).events).toBe(2)
  await clock.advance(dayMs + 11 * 60_000, turn)
  expect((await tend.overview()).events).toBe(1)
  await clock.advance(2 * dayMs, turn)
  expect((await tend.overview()).events).toBe(0)
  await maintenance.stop()
})

test('prunes nothing when told so', async () => {
  const { clock, tend, start, append } = rig('none')
  const maintenance = start()
  await append(['1'])
  await clock.advance(4 * dayMs, turn)
  expect((await tend.overview()).events).toBe(1)
  await maintenance.stop()
})

test('leaves pruning to one process at a time, and takes over from one that is gone', async () => {
  const { clock, tend, start, append } = rig()
  await tend.hold('prune', 'another', 60_000)
  const maintenance = start()
  await append(Array.from({ length: 5 }, (_, i) => String(i)))
  await clock.advance(30_000, turn)
  expect(await tend.hold('prune', 'another', dayMs * 4)).toBe(true)
  await clock.advance(3 * dayMs + 60_000, turn)
  expect((await tend.overview()).events).toBe(5)
  await clock.advance(dayMs + 11 * 60_000, turn)
  expect((await tend.overview()).events).toBe(0)
  await maintenance.stop()
})

test('is seen until it stops', async () => {
  const { clock, tend, start } = rig()
  const maintenance = start()
  await clock.advance(10 * 60_000, turn)
  expect((await tend.overview()).nodes).toMatchObject([{ handlers: ['a'], pid: process.pid }])
  await maintenance.stop()
  expect((await tend.overview()).nodes).toEqual([])
})
