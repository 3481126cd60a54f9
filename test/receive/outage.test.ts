import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { memory } from 'fusewire/testing'
import type { Engine } from '../../src/model/engine.ts'
import { good, key, userDelete } from '../support/door.ts'
import { keptLog, type KeptLog } from '../support/log.ts'

interface Outage extends AsyncDisposable {
  /** Whether the inbox fails. */
  down: boolean
  readonly probes: number
  readonly log: KeptLog
  readonly webhook: Webhook
  send(): Promise<number>
}

/** A webhook whose inbox can be made to fail. */
function outage(): Outage {
  const inbox = memory()
  let probes = 0
  const failing = () => Promise.reject(new Error('connection refused'))
  const engine: Engine = {
    ...inbox,
    append: (arrivals) => (state.down ? failing() : inbox.append(arrivals)),
    probe() {
      probes += 1
      return state.down ? failing() : inbox.probe()
    },
  }
  const log = keptLog()
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: engine, log })
  const state: Outage = {
    down: false,
    get probes() {
      return probes
    },
    log,
    webhook,
    async send() {
      const sent = new Request('http://localhost/', { method: 'POST', headers: good, body: userDelete() })
      return (await webhook.fetch(sent)).status
    },
    [Symbol.asyncDispose]: () => webhook.stop(),
  }
  return state
}

test('the first event after an outage is kept, though nobody asked meanwhile', async () => {
  await using state = outage()
  expect(await state.send()).toBe(200)
  state.down = true
  expect(await state.send()).toBe(503)
  await expect.poll(() => state.probes, { timeout: 5_000 }).toBeGreaterThan(1)
  state.down = false
  await expect.poll(() => state.log.text(), { timeout: 5_000 }).toContain('the inbox is back')
  expect(await state.send()).toBe(200)
})

test('the recovery is told at the level of the outage, and for how long it was', async () => {
  await using state = outage()
  state.down = true
  expect(await state.send()).toBe(503)
  state.down = false
  await expect.poll(() => state.log.lines.filter(({ level }) => level === 'error').length).toBe(2)
  expect(state.log.lines.filter(({ level }) => level === 'error')).toMatchObject([
    { fields: { error: 'Error: connection refused' }, message: expect.stringContaining('is down') },
    { fields: { downMs: expect.any(Number) }, message: expect.stringContaining('the inbox is back') },
  ])
})

test('requests do not make it probe more often, and nothing probes after stop', async () => {
  await using state = outage()
  state.down = true
  const began = performance.now()
  while (performance.now() - began < 1_200) {
    expect(await state.send()).toBe(503)
    await pause(5)
  }
  const elapsed = performance.now() - began
  expect(state.probes).toBeGreaterThanOrEqual(1)
  expect(state.probes).toBeLessThanOrEqual(Math.floor(elapsed / 500))
  await state.webhook.stop()
  const before = state.probes
  await pause(700)
  expect(state.probes).toBe(before)
})
