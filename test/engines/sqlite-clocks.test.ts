import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { keptLog } from '../support/log.ts'
import { compileShim, whyNoShim } from '../support/preload.ts'
import { serveChild } from '../support/served-child.ts'
import { place } from './places.ts'

const hourMs = 60 * 60_000
const dayMs = 24 * hourMs
const start = Date.UTC(2027, 0, 1)
const everything = { handler: 'a', types: '*', ordering: 'lane' } as const

function newFile(): string {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  return file
}

function inbox(file: string, clock: Clock = handClock(start)): Engine {
  const engine = sqlite(file, { allowVolatile: true, clock })
  onTestFinished(() => engine[Symbol.asyncDispose]())
  return engine
}

async function claimedIds(engine: Engine): Promise<readonly string[]> {
  const { leases } = await engine.claim([{ handler: 'a', limit: 99 }], 30_000)
  return leases.map(({ event }) => event.key.id)
}

test.each([hourMs, -hourMs, 40 * dayMs])(
  'two processes whose clocks differ by %d ms share leases, and one takes over from the other',
  async (aheadMs) => {
    const file = newFile()
    const clocks = [handClock(start), handClock(start + aheadMs)] as const
    const one = inbox(file, clocks[0])
    await one.subscribe([everything])
    await one.append(['1', '2'].map((id) => arrival(id, { createInstant: start })))
    const held = await one.claim([{ handler: 'a', limit: 1 }], 30_000)
    expect(held.leases).toHaveLength(1)
    const other = inbox(file, clocks[1])

    expect(await claimedIds(other)).toEqual(['2'])
    for (const clock of clocks) await clock.advance(20_000)
    expect(await one.renew(held.leases, 30_000)).toEqual(['renewed'])
    for (const clock of clocks) await clock.advance(11_000)
    expect(await claimedIds(one)).toEqual(['2']) // The other let its lease run out.
    for (const clock of clocks) await clock.advance(20_000)
    expect(await claimedIds(other)).toEqual(['1'])
  },
)

test('leases bear it when an event shows that the first process had the wrong clock', async () => {
  const file = newFile()
  const clocks = [handClock(start - 40 * dayMs), handClock(start)] as const
  const wrong = inbox(file, clocks[0])
  await wrong.subscribe([everything])
  await wrong.append([arrival('1', { createInstant: 1_000 })])
  const { leases } = await wrong.claim([{ handler: 'a', limit: 1 }], 30_000)
  const right = inbox(file, clocks[1])
  await right.append([arrival('2', { createInstant: start })])

  expect((await right.get(arrival('2', { createInstant: start }).key))?.keptAt).toBeLessThan(start)
  await right.append([arrival('3', { createInstant: start + 1 })])
  expect((await right.get(arrival('3', { createInstant: start + 1 }).key))?.keptAt).toBe(start)
  expect(await claimedIds(right)).toEqual(['2', '3'])
  expect(await wrong.renew(leases, 30_000)).toEqual(['renewed'])
  expect(await claimedIds(wrong)).toEqual([])
  for (const clock of clocks) await clock.advance(30_000)
  // What ran out together is tried again one by one.
  const again = [await claimedIds(right), await claimedIds(right), await claimedIds(right)]
  expect(again.flat().toSorted()).toEqual(['1', '2', '3'])
})

test('time goes on while no process runs', async () => {
  const file = newFile()
  const clock = handClock(start)
  {
    await using engine = sqlite(file, { allowVolatile: true, clock })
    await engine.subscribe([everything])
    await engine.append([arrival('1')])
    expect(await claimedIds(engine)).toEqual(['1'])
  }
  await clock.advance(29_000)
  expect(await claimedIds(inbox(file, clock))).toEqual([])
  await clock.advance(1_000)
  expect(await claimedIds(inbox(file, clock))).toEqual(['1'])
})

test('warns of a clock that nothing confirms', async () => {
  const file = newFile()
  {
    await using engine = sqlite(file, { allowVolatile: true, clock: handClock(start) })
    await engine.append([arrival('1', { createInstant: start })])
  }
  const engine = inbox(file, handClock(start + 40 * dayMs))
  const log = keptLog()
  engine.report?.(log)
  await engine.open()
  expect(log.text()).toContain("this machine's clock disagrees")
  expect(log.text()).toContain(String((40 * dayMs) / 60_000))
})

test('a process with a clock 420 days ahead sets nothing aside and prunes nothing', async (context) => {
  const reason = whyNoShim()
  if (reason !== undefined) return context.skip(reason)
  const file = newFile()
  const shim = compileShim(new URL('../support/clock.c', import.meta.url), dirname(file))
  {
    await using served = await serveChild(file, {})
    const { id, status } = await served.send()
    expect(status).toBe(200)
    await expect.poll(() => served.said.some(({ handled }) => handled === id), { timeout: 10_000 }).toBe(true)
    await sleep(500) // Its settlement is written.
  }
  await using ahead = await serveChild(file, {
    LD_PRELOAD: shim,
    CLOCK_AHEAD_S: String((420 * dayMs) / 1_000),
  })
  const { id, status } = await ahead.send()
  expect(status).toBe(200)
  await expect.poll(() => ahead.said.some(({ handled }) => handled === id), { timeout: 10_000 }).toBe(true)
  await sleep(2_000) // It prunes when it has started.
  using db = new DatabaseSync(file, { readOnly: true })
  expect(db.prepare('select count(*) as count from fw_events where body is not null').get()).toEqual({
    count: 2,
  })
  expect(db.prepare('select count(*) as count from fw_aside').get()).toEqual({ count: 0 })
  expect(ahead.said.some(({ message = '' }) => message.includes('clock disagrees'))).toBe(true)
}, 60_000)

test('leases bear it when what shows the wrong clock comes together with what cannot be stored', async () => {
  const file = newFile()
  const wrong = inbox(file, handClock(start - 40 * dayMs))
  await wrong.subscribe([everything])
  await wrong.append([arrival('1', { createInstant: 1_000 })])
  const { leases } = await wrong.claim([{ handler: 'a', limit: 1 }], 30_000)
  const right = inbox(file, handClock(start))
  const poison = arrival('poison', { createInstant: start, receivedAt: Number.NaN })
  const answers = await right.append([arrival('2', { createInstant: start }), poison])

  expect(answers).toEqual(['stored', 'quarantined'])
  await right.append([arrival('3', { createInstant: start + 1 })])
  expect(await claimedIds(right)).toEqual(['2', '3']) // The other process holds the first one.
  expect(await wrong.renew(leases, 30_000)).toEqual(['renewed'])
  expect(await claimedIds(right)).toEqual([])
})

test('an erasure that is only noted blanks no event that is newer than what confirms the clock', async () => {
  const file = newFile()
  {
    await using engine = sqlite(file, { allowVolatile: true, clock: handClock(start) })
    await engine.append([arrival('1', { createInstant: start })])
  }
  const ahead = inbox(file, handClock(start + 40 * dayMs, 2))
  await ahead.tend?.noteErasure({ userId: 'ada' }, Buffer.from('note'))
  const newer = arrival('2', { createInstant: start + hourMs, subjects: ['ada'] })
  await ahead.append([newer])
  expect((await ahead.get(newer.key))?.body).toBeDefined()
})

test('a file that is locked when it is opened first after a boot costs no descriptors', async (context) => {
  const file = newFile()
  await inbox(file, handClock(start, 1)).open()
  using shell = new DatabaseSync(file)
  shell.exec('begin immediate')
  const engine = inbox(file, handClock(start, 2))
  const descriptors = (): number =>
    readdirSync('/proc/self/fd').filter((name) => descriptorTarget(name).startsWith(file)).length
  if (!existsSync('/proc/self/fd')) return context.skip('this system does not list descriptors')
  await expect(engine.open()).rejects.toThrow('locked by another process')
  const before = descriptors()
  await expect(engine.open()).rejects.toThrow('locked by another process')
  expect(descriptors()).toBeLessThan(before + 5) // Each call tries some thirty times.
})

function descriptorTarget(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`)
  } catch {
    return '' // The one that listed them.
  }
}

test('a lease that is renewed after the host slept is no older for the process that noticed the sleep first', async () => {
  const file = newFile()
  let sleptMs = 0
  const clocks = [handClock(start), handClock(start)] as const
  const [one, other] = clocks.map((clock) =>
    inbox(file, { ...clock, uptime: () => ({ ms: clock.now() - start + sleptMs, boot: 1 }) }),
  )
  if (one === undefined || other === undefined) throw new Error('two clocks, two engines')
  await one.subscribe([everything])
  await one.append([arrival('1', { createInstant: start })])
  const { leases } = await one.claim([{ handler: 'a', limit: 1 }], 30_000)
  await other.open()
  sleptMs = hourMs
  for (const clock of clocks) await clock.advance(2_000)

  expect(await one.renew(leases, 30_000)).toEqual(['renewed'])
  const createInstant = start + hourMs + 2_000
  await other.append([arrival('2', { createInstant })]) // Which keeps the time.
  await other.append([arrival('3', { createInstant })])
  expect(await claimedIds(other)).toEqual(['2', '3'])
})

test('an idle inbox does not take a sleep of its host for a wrong time a day later', async () => {
  let sleptMs = 0
  const clock = handClock(start)
  const engine = inbox(newFile(), {
    ...clock,
    uptime: () => ({ ms: clock.now() - start + sleptMs, boot: 1 }),
  })
  await engine.append([arrival('1', { createInstant: start })])
  sleptMs = 2 * hourMs
  for (let hour = 0; hour < 26; hour++) {
    await clock.advance(hourMs)
    await engine.subscribe([everything])
  }
  await engine.append([arrival('2', { createInstant: 0 })])
  const kept = await engine.get(arrival('2', { createInstant: 0 }).key)
  expect(kept?.keptAt).toBe(start + 26 * hourMs + sleptMs)
})

test('an event sets back the time of an inbox whose first process had a clock that was ahead', async () => {
  const file = newFile()
  await inbox(file, handClock(start + 40 * dayMs)).open()
  const engine = inbox(file, handClock(start))
  await engine.subscribe([everything])
  const keys = ['1', '2'].map((id) => arrival(id, { createInstant: start }))
  for (const one of keys) await engine.append([one])
  expect((await engine.get(arrival('2', { createInstant: start }).key))?.keptAt).toBe(start)
})

test('settlements go on to reach the disk when another process sets the time of the inbox back', async () => {
  const file = newFile()
  const ahead = handClock(start + 40 * dayMs)
  const delivers = inbox(file, ahead)
  let syncs = 0
  delivers.observe?.({ synced: () => void syncs++ })
  await delivers.subscribe([everything])
  const receives = inbox(file, handClock(start))
  for (const id of ['1', '2']) await receives.append([arrival(id, { createInstant: start })])
  await claimedIds(delivers) // Within a second of its last sync.
  const before = syncs
  await ahead.advance(60_000)
  await claimedIds(delivers)
  await expect.poll(() => syncs).toBe(before + 1)
})
