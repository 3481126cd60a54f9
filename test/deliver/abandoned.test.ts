import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Maintenance } from '../../src/deliver/maintenance.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { keptLog } from '../support/log.ts'

const dayMs = 24 * 60 * 60_000
/** The engine of these tests is done within one turn of the event loop. */
const turn = () => nextTurn()

function rig() {
  const clock = handClock()
  const engine = memory({ clock })
  const { tend } = engine
  if (tend === undefined) throw new Error('memory can be tended')
  const log = keptLog()
  const process = (...handlers: string[]) => new Maintenance({ tend, handlers, retention: {}, clock, log })
  const subscribe = (...handlers: string[]) =>
    engine.subscribe(handlers.map((handler) => ({ handler, types: '*', ordering: 'lane' })))
  const append = (id: string) =>
    engine.append([arrival(id, { receivedAt: clock.now(), createInstant: clock.now() })])
  /** What a worker of these handlers does. */
  const deliver = async (...handlers: string[]) => {
    const wants = handlers.map((handler) => ({ handler, limit: 9 }))
    const { leases } = await engine.claim(wants, 30_000)
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
  }
  const waiting = async (handler: string) =>
    (await engine.stats()).handlers.find((one) => one.handler === handler)?.pending
  const told = (text: string) =>
    log.lines.filter(({ message }) => message.includes(text)).map(({ fields }) => fields)
  return { clock, engine, tend, process, subscribe, append, deliver, waiting, told }
}

test('a renamed handler is abandoned after 7 days: its events are pruned, and the log told of it two days before', async () => {
  const { clock, tend, process, subscribe, append, deliver, waiting, told } = rig()
  await subscribe('old')
  await append('1')
  await subscribe('new')
  await append('2')
  const maintenance = process('new')
  maintenance.start()
  await deliver('new')

  await clock.advance(4.9 * dayMs, turn)
  expect(told('no process runs this handler')).toEqual([])
  await clock.advance(0.2 * dayMs, turn)
  expect(told('no process runs this handler')).toMatchObject([{ handler: 'old' }])
  expect(await waiting('old')).toBe(2)

  await clock.advance(2 * dayMs, turn)
  expect(told('a handler is abandoned')).toEqual([{ handler: 'old' }])
  expect(told('deliveries ended as abandoned')).toEqual([{ deliveries: 2 }])
  expect(await waiting('old')).toBe(0)
  await append('3')
  expect(await waiting('old')).toBe(0)
  await deliver('new')

  await clock.advance(24 * dayMs, turn)
  expect((await tend.overview()).events).toBe(1)
  await maintenance.stop()
}, 60_000)

test('an inbox whose only process is down for two weeks abandons nothing, nor does a clock that jumps', async () => {
  const { clock, process, subscribe, append, waiting, told } = rig()
  await subscribe('a', 'b')
  await append('1')
  const first = process('a')
  first.start()
  await clock.advance(dayMs, turn)
  await first.stop()
  await clock.advance(14 * dayMs) // Nobody runs.
  const second = process('a')
  second.start()
  await clock.advance(dayMs, turn)
  expect(await waiting('b')).toBe(1)
  expect(told('abandoned')).toEqual([])
  await second.stop()
}, 60_000)

test('a handler whose process only drains, or runs beside, is not abandoned', async () => {
  const { clock, process, subscribe, append, waiting } = rig()
  await subscribe('a', 'b', 'c')
  await append('1')
  const [one, beside, drains] = [process('a'), process('b'), process('c')]
  one.start()
  beside.start()
  for (let day = 0; day < 9; day++) {
    await clock.advance(dayMs, turn)
    await drains.drained()
  }
  expect([await waiting('a'), await waiting('b'), await waiting('c')]).toEqual([1, 1, 1])
  await Promise.all([one.stop(), beside.stop(), drains.stop()])
}, 60_000)

test('a process without handlers abandons nothing', async () => {
  const { clock, process, subscribe, append, waiting } = rig()
  await subscribe('a')
  await append('1')
  const receiver = process()
  receiver.start()
  await clock.advance(8 * dayMs, turn)
  expect(await waiting('a')).toBe(1)
  await receiver.stop()
}, 60_000)

test('a replay for an abandoned handler says why it does nothing', async () => {
  const { engine, tend, subscribe } = rig()
  await subscribe('a')
  await tend.countIdle(7 * dayMs)
  await expect(createInbox(engine).replay({ handler: 'a' })).rejects.toThrow(/abandoned/)
})
