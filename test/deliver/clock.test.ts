import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Worker } from '../../src/deliver/worker.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { Engine } from '../../src/model/engine.ts'
import { RetryLater } from '../../src/model/errors.ts'
import type { RegisteredHandler } from '../../src/model/registered-handler.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { place } from '../engines/places.ts'
import { keptLog } from '../support/log.ts'
import { handlerNamed, rig } from './rig.ts'

// What worker.test.ts tries on a clock of its own, once on the machine's.

const engines: { name: string; make: () => Engine }[] = [
  { name: 'memory', make: () => memory() },
  {
    name: 'SQLite',
    make() {
      const at = place()
      onTestFinished(() => at[Symbol.dispose]())
      return sqlite(at.file, { allowVolatile: true })
    },
  },
]

describe.each(engines)('a worker on $name and the real clock', ({ make }) => {
  async function working(handler: RegisteredHandler) {
    const engine = make()
    await engine.subscribe([{ handler: handler.name, types: '*', ordering: 'lane' }])
    const worker = new Worker({
      engine,
      handlers: [handler],
      concurrency: 4,
      clock: systemClock,
      log: keptLog(),
    })
    onTestFinished(async () => {
      await worker.stop(0)
      await engine[Symbol.asyncDispose]()
    })
    const append = (ids: readonly string[], lane?: string) =>
      engine.append(
        ids.map((id) => {
          const user = lane ?? id
          const event = { type: 'user.update.complete', id, createInstant: 1, user: { id: user } }
          return arrival(id, { lane: user, body: Buffer.from(JSON.stringify({ event })) })
        }),
      )
    return { worker, append }
  }

  test('delivers what comes while it sleeps, at once', async () => {
    const seen: string[] = []
    const { worker, append } = await working(handlerNamed('h', ({ event }) => void seen.push(event.id)))
    worker.start()
    await sleep(50)
    await append(['1'])
    await expect.poll(() => seen, { timeout: 1000, interval: 5 }).toEqual(['1']) // Its own poll comes after 5 s.
  })

  test('waits as long as RetryLater says, and keeps the lane in order meanwhile', async () => {
    const seen: { id: string; at: number }[] = []
    const { worker, append } = await working(
      handlerNamed('h', ({ event, attempt }) => {
        seen.push({ id: event.id, at: performance.now() })
        if (event.id === 'a1' && attempt === 1) throw new RetryLater({ afterMs: 200 })
      }),
    )
    await append(['a1', 'a2'], 'a')
    await append(['b1'], 'b')
    worker.start()
    await expect.poll(() => seen.map(({ id }) => id), { timeout: 10_000 }).toEqual(['a1', 'b1', 'a1', 'a2'])
    const [first, , again] = seen
    expect((again?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(195)
  })

  test('aborts what takes too long and retries it within a second or two', async () => {
    const aborted: unknown[] = []
    const { worker, append } = await working(
      handlerNamed(
        'h',
        ({ signal, attempt }) => {
          if (attempt > 1) return undefined
          signal.addEventListener('abort', () => aborted.push(signal.reason))
          return new Promise(() => {})
        },
        { timeoutMs: 50 },
      ),
    )
    await append(['1'])
    expect(await worker.drain(Infinity)).toMatchObject({ retrying: 1 })
    expect(aborted).toMatchObject([{ code: 'FW_TIMEOUT' }])
    worker.start()
    await expect.poll(async () => (await worker.drain(Infinity)).remaining, { timeout: 10_000 }).toBe(0)
  })

  test('gives back at the end of its time what it has not begun, for the next to take', async () => {
    const seen: string[] = []
    const { worker, append } = await working(
      handlerNamed('h', async ({ event, signal }) => {
        await sleep(40, undefined, { signal })
        seen.push(event.id)
      }),
    )
    const ids = Array.from({ length: 20 }, () => randomUUID())
    await append(ids)
    const { succeeded, remaining } = await worker.drain(100)
    expect(succeeded).toBeLessThan(20)
    expect(remaining).toBe(20 - succeeded)
    expect((await worker.drain(Infinity)).remaining).toBe(0)
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })
})

test('a boot with a clock a year ahead attempts what waited once, and goes on waiting', async () => {
  using at = place()
  const ids = Array.from({ length: 10 }, (_, n) => `${n}`)
  let runs = 0
  const failing = handlerNamed('h', () => {
    runs += 1
    throw new RetryLater({ afterMs: 60_000 })
  })
  const year = 365 * 24 * 3_600_000
  for (const aheadMs of [0, year]) {
    const make = (clock: Clock) =>
      sqlite(at.file, {
        allowVolatile: true,
        clock: { ...clock, now: () => clock.now() + aheadMs, uptime: () => ({ ms: 0, boot: aheadMs }) },
      })
    await using t = await rig(make, [failing])
    await t.append(...ids.map((id) => ({ id })))
    runs = 0
    expect(await t.worker.drain(Infinity)).toMatchObject({ retrying: 10, dead: 0, remaining: 10 })
    expect(runs).toBe(10)
  }
})
