import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { memory } from 'fusewire/testing'
import { NotStartedWarning } from '../../src/deliver/not-started-warning.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { keptLog } from '../support/log.ts'

/** The engine of these tests is done within one turn of the event loop. */
const turn = () => nextTurn()

async function warned() {
  const clock = handClock(1_900_000_000_000)
  const engine = memory({ clock })
  const log = keptLog()
  await engine.subscribe([{ handler: 'crm', types: '*', ordering: 'lane' }])
  const warning = new NotStartedWarning(engine, clock, log)
  const keep = async (id: string) => {
    await engine.append([arrival(id, { receivedAt: clock.now() })])
    warning.stored()
  }
  return { clock, engine, log, warning, keep }
}

test('says FW_NOT_STARTED, and of which handlers, when nobody delivers for 10 s', async () => {
  const { clock, log, keep } = await warned()
  await keep('1')
  await clock.advance(9_999, turn)
  expect(log.text()).toBe('')
  await clock.advance(1, turn)
  expect(log.text()).toContain('FW_NOT_STARTED')
  expect(log.text()).toContain('crm')
})

test('says it again as long as it is so', async () => {
  const { clock, log, keep } = await warned()
  for (const id of ['1', '2', '3']) {
    await keep(id)
    await clock.advance(10_000, turn)
  }
  expect(log.text().match(/FW_NOT_STARTED/g)).toHaveLength(3)
})

test('says nothing where this process delivers, or another has', async () => {
  const here = await warned()
  await here.keep('1')
  here.warning.stop()
  await here.clock.advance(60_000, turn)
  expect(here.log.text()).toBe('')

  const there = await warned()
  await there.keep('1')
  const { leases } = await there.engine.claim([{ handler: 'crm', limit: 1 }], 1_000)
  await there.engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
  await there.clock.advance(60_000, turn)
  expect(there.log.text()).toBe('')
})
