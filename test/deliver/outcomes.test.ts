import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { combineObservers } from '../../src/model/observer.ts'
import { handle } from '../../src/deliver/handle.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { RetryLater } from '../../src/model/errors.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { place } from '../engines/places.ts'
import { storesEveryOutcome } from './outcomes.ts'
import { handlerNamed, rig } from './rig.ts'

const second = 1_000
const hour = 60 * 60 * second

describe('on memory', () => storesEveryOutcome((clock) => memory({ clock })))

describe('on SQLite', () =>
  storesEveryOutcome((clock) => {
    const at = place()
    onTestFinished(() => at[Symbol.dispose]())
    return sqlite(join(at.file, '..', `${randomUUID()}.db`), { clock, allowVolatile: true })
  }))

/** When a handler that throws this each time was attempted, in seconds after the event came. */
async function attemptsWith(error: (now: number) => unknown, passMs: number): Promise<readonly number[]> {
  const attempts: number[] = []
  await using t = await rig(
    (clock) => memory({ clock }),
    [
      handlerNamed('h', () => {
        attempts.push(t.clock.now() - startedAt)
        throw error(t.clock.now())
      }),
    ],
  )
  const startedAt = t.clock.now()
  await t.append({ id: '1' })
  t.worker.start()
  await t.quiet()
  await t.pass(passMs)
  return attempts
}

test.each([
  ['0', () => new RetryLater({ afterMs: 0 })],
  ['NaN', () => new RetryLater({ afterMs: Number.NaN })],
  ['a negative number', () => new RetryLater({ afterMs: -5_000 })],
  ['Infinity', () => new RetryLater({ afterMs: Infinity })],
  ['a thousandth of a millisecond', () => new RetryLater({ afterMs: 0.001 })],
  ['a past date', (now: number) => new RetryLater({ at: new Date(now - hour) })],
  ['the present', (now: number) => new RetryLater({ at: new Date(now) })],
  ['an invalid date', () => new RetryLater({ at: new Date(Number.NaN) })],
  ['a look-alike without a time', () => ({ code: 'FW_RETRY_LATER' })],
])('RetryLater with %s is no loop: the next attempt comes a second later or after', async (_, error) => {
  const attempts = await attemptsWith(error, 3 * second)
  expect(attempts.length).toBeLessThanOrEqual(4)
  const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0))
  for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(second)
})

test('RetryLater beyond a day means a day', async () => {
  const [first, next] = await attemptsWith(() => new RetryLater({ afterMs: 1e23 }), 25 * hour)
  expect(first).toBe(0)
  expect(next).toBe(24 * hour)
})

test('an attempt at an event whose body is gone ends as a dead letter and never rejects', async () => {
  const clock = { now: () => 1, after: () => () => {} }
  const engine = memory({ clock })
  const { key, type, source, receivedAt } = arrival('1')
  const body: Uint8Array = JSON.parse('null')
  const lease = {
    handler: 'h',
    position: 1,
    token: '1',
    attempt: 1,
    failingForMs: 0,
    laneHeldForMs: 0,
    event: { key, type, source, receivedAt, body },
  }
  const end = handle({
    lease,
    handler: handlerNamed('h', () => {}),
    engine,
    clock,
    signal: AbortSignal.any([]),
  })
  await expect(end).resolves.toMatchObject({
    kind: 'dead',
    reason: 'shape',
    failure: { message: expect.stringContaining('no longer in the inbox') },
  })
})

test('an observer and a tracer that throw cost no attempt its outcome', async () => {
  const t = await rig((clock) => memory({ clock }), [handlerNamed('h', () => {})], 4, {
    observer: combineObservers([
      {
        attempted() {
          throw new Error('the meter is broken')
        },
      },
    ]),
    tracer: {
      receiving: (_, run) => run(undefined),
      async attempting(_, run) {
        await run()
        throw new Error('the exporter is broken')
      },
    },
  })
  await using _ = t
  await t.append({ id: '1' })
  expect(await t.worker.drain(Infinity)).toMatchObject({ succeeded: 1, remaining: 0 })
})
