import { describe, expect, onTestFinished, test } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { Permanent, RetryLater } from '../../src/model/errors.ts'
import { place } from '../engines/places.ts'
import { handlerNamed, rig, type Rig } from './rig.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const engines: { name: string; make: Parameters<typeof rig>[0] }[] = [
  { name: 'memory', make: (clock) => memory({ clock }) },
  {
    name: 'SQLite',
    make(clock) {
      const at = place()
      onTestFinished(() => at[Symbol.dispose]())
      return sqlite(at.file, { clock, allowVolatile: true })
    },
  },
]

/** Lets time pass in steps and delivers what is due after each. */
async function passIn(t: Rig, stepMs: number, steps: number, after?: () => Promise<void>): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await t.clock.advance(stepMs)
    await t.worker.drain(Infinity)
    await after?.()
  }
}

/** How many minutes after the start each event of one user became a dead letter, when every attempt throws this. */
async function deathsOf(
  make: Parameters<typeof rig>[0],
  count: number,
  error: () => Error,
): Promise<number[]> {
  await using t = await rig(make, [handlerNamed('h', () => Promise.reject(error()))])
  const startedAt = t.clock.now()
  await t.append(...Array.from({ length: count }, (_, n) => ({ id: `${n}`, user: 'ada' })))
  await t.worker.drain(Infinity)
  const deaths: number[] = []
  await passIn(t, 20 * minute, 7 * 24 * 3, async () => {
    const [stats] = (await t.engine.stats()).handlers
    while (deaths.length < (stats?.dead ?? 0)) deaths.push((t.clock.now() - startedAt) / minute)
  })
  return deaths
}

describe.each(engines)('giving up on $name', ({ make }) => {
  test("a delivery's 24 hours begin with its own first failure, not with its lane's", async () => {
    let down = false
    let attempts = 0
    await using t = await rig(make, [
      handlerNamed('h', ({ event }) => {
        if (event.id === 'yesterday') throw new Permanent('no address to write to')
        attempts++
        if (down) throw new Error('the database is away')
      }),
    ])
    await t.append({ id: 'yesterday', user: 'ada' })
    await t.worker.drain(Infinity)
    expect(await t.state('yesterday')).toBe('dead permanent')

    await t.clock.advance(25 * hour)
    down = true
    await t.append({ id: 'today', user: 'ada' })
    await passIn(t, 5 * second, 12)
    expect(attempts).toBeGreaterThanOrEqual(5)
    expect(await t.state('today')).toBe('pending')
    down = false
    await passIn(t, minute, 3)
    expect(await t.state('today')).toBe('succeeded')
  })

  test('a lane whose events all fail is held for three days, then each further event has five attempts', async () => {
    const deaths = await deathsOf(make, 8, () => new Error('down'))
    expect(deaths).toHaveLength(8)
    const [first = 0, next = 0, third = 0] = deaths
    expect(first).toBeGreaterThanOrEqual(24 * 60)
    expect(next).toBeGreaterThanOrEqual(first + 24 * 60)
    expect(third).toBeGreaterThanOrEqual(72 * 60)
    // Five more events of five attempts each, 20 minutes apart in this test.
    expect(deaths.at(-1)).toBeLessThanOrEqual((72 + 2) * 60 + 5 * 5 * 20)
  })

  test('RetryLater of a day each time holds a lane for four days at most', async () => {
    const deaths = await deathsOf(make, 5, () => new RetryLater({ afterMs: 24 * hour }))
    expect(deaths).toHaveLength(5)
    expect(deaths[0]).toBeGreaterThanOrEqual(72 * 60)
    expect(deaths.at(-1)).toBeLessThanOrEqual(4 * 24 * 60)
  })
})
