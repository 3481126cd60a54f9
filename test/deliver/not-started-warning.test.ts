import { expect, test } from 'vitest'
import { memory } from 'fusewire/testing'
import { NotStartedWarning } from '../../src/deliver/not-started-warning.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { keptLog } from '../support/log.ts'
import { turns } from './rig.ts'

async function reminded() {
  const clock = handClock(1_900_000_000_000)
  const engine = memory({ clock })
  const log = keptLog()
  await engine.subscribe([{ handler: 'crm', types: '*', ordering: 'lane' }])
  const reminder = new NotStartedWarning(engine, clock, log)
  const keep = async (id: string) => {
    await engine.append([arrival(id, { receivedAt: clock.now() })])
    reminder.stored()
  }
  return { clock, engine, log, reminder, keep }
}

test('says FW_NOT_STARTED, and of which handlers, when nobody delivers for 10 s', async () => {
  const { clock, log, keep } = await reminded()
  await keep('1')
  await clock.advance(9_999, turns)
  expect(log.text()).toBe('')
  await clock.advance(1, turns)
  expect(log.text()).toContain('FW_NOT_STARTED')
  expect(log.text()).toContain('crm')
})

test('says it again as long as it is so', async () => {
  const { clock, log, keep } = await reminded()
  for (const id of ['1', '2', '3']) {
    await keep(id)
    await clock.advance(10_000, turns)
  }
  expect(log.text().match(/FW_NOT_STARTED/g)).toHaveLength(3)
})

test('says nothing where this process delivers, or another has', async () => {
  const here = await reminded()
  await here.keep('1')
  here.reminder.stop()
  await here.clock.advance(60_000, turns)
  expect(here.log.text()).toBe('')

  const there = await reminded()
  await there.keep('1')
  const { leases } = await there.engine.claim([{ handler: 'crm', limit: 1 }], 1_000)
  await there.engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
  await there.clock.advance(60_000, turns)
  expect(there.log.text()).toBe('')
})
