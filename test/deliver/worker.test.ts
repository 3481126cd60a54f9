import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { Permanent, RetryLater } from '../../src/model/errors.ts'
import type { HandlerRun } from '../../src/model/registered-handler.ts'
import type { Engine } from '../../src/model/engine.ts'
import type { HandClock } from '../../src/testing/hand-clock.ts'
import { handlerNamed, rig } from './rig.ts'

type Make = Parameters<typeof rig>[0]

const folder = mkdtempSync(join(tmpdir(), 'fusewire-'))
afterAll(() => rmSync(folder, { recursive: true }))

const engines: { name: string; make: Make }[] = [
  { name: 'memory', make: (clock) => memory({ clock }) },
  { name: 'SQLite', make: (clock) => sqlite(join(folder, `${randomUUID()}.db`), { clock }) },
]
const hour = 60 * 60_000

describe.each(engines)('a worker on $name', ({ make }) => {
  test('runs a handler once for each event and says so', async () => {
    const seen: string[] = []
    await using t = await rig(make, [handlerNamed('h', ({ event }) => void seen.push(event.id))])
    await t.append({ id: '1' }, { id: '2' })

    expect(await t.worker.drain(Infinity)).toEqual({ succeeded: 2, retrying: 0, dead: 0, remaining: 0 })
    expect(await t.worker.drain(Infinity)).toEqual({ succeeded: 0, retrying: 0, dead: 0, remaining: 0 })
    expect(seen).toEqual(['1', '2'])
  })

  test('delivers without being asked once it has started', async () => {
    const seen: string[] = []
    await using t = await rig(make, [handlerNamed('h', ({ event }) => void seen.push(event.id))])
    t.worker.start()
    await t.quiet()
    await t.append({ id: '1' })
    await t.quiet()
    expect(seen).toEqual(['1'])
  })

  test('tells the handler its attempt, a key for others, and when the event came', async () => {
    const runs: HandlerRun[] = []
    await using t = await rig(make, [
      handlerNamed('h', (run) => {
        runs.push(run)
        if (run.attempt === 1) throw new RetryLater({ afterMs: 1000 })
      }),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    await t.pass(1000)

    expect(runs.map(({ attempt, isLastAttempt }) => ({ attempt, isLastAttempt }))).toEqual([
      { attempt: 1, isLastAttempt: false },
      { attempt: 2, isLastAttempt: false },
    ])
    expect(new Set(runs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
    expect(runs[0]?.idempotencyKey).toContain('/h')
    expect(runs[0]?.receivedAt).toBe(1_900_000_000_000)
  })

  test('retries a failure later and later, and gives up after 24 hours of failing', async () => {
    const attempts: number[] = []
    await using t = await rig(make, [
      handlerNamed('h', () => {
        attempts.push(t.clock.now())
        throw new Error('down')
      }),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    await t.pass(23 * hour)
    expect(await t.state('1')).toBe('pending')
    await t.pass(3 * hour)

    expect(await t.state('1')).toBe('dead failed')
    expect(attempts.length).toBeGreaterThanOrEqual(20)
    expect((attempts.at(-1) ?? 0) - (attempts[0] ?? 0)).toBeGreaterThanOrEqual(24 * hour)
    const kept = await t.engine.get({ createInstant: 1_900_000_000_000, tenantId: '', id: '1' })
    expect(kept?.deliveries[0]?.failures).toHaveLength(10)
    expect(kept?.deliveries[0]?.failures[0]).toMatchObject({
      message: 'Error: down',
      stack: expect.stringContaining('worker.test'),
    })
  })

  test('gives up what asks for RetryLater for ever, by the same time', async () => {
    const last: boolean[] = []
    await using t = await rig(make, [
      handlerNamed('h', ({ isLastAttempt }) => {
        last.push(isLastAttempt)
        throw new RetryLater({ afterMs: 7 * hour })
      }),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    await t.pass(27 * hour)
    expect(await t.state('1')).toBe('pending')
    await t.pass(hour)
    expect(await t.state('1')).toBe('dead failed')
    expect(last).toEqual([false, false, false, false, true])
  })

  test('gives up after maxAttempts, and says beforehand which is the last', async () => {
    const last: boolean[] = []
    await using t = await rig(make, [
      handlerNamed(
        'h',
        ({ isLastAttempt }) => {
          last.push(isLastAttempt)
          throw new Error('no')
        },
        { maxAttempts: 3 },
      ),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    await t.pass(hour)
    expect(last).toEqual([false, false, true])
    expect(await t.state('1')).toBe('dead failed')
  })

  test('does not retry what is Permanent, nor what comes from a look-alike of our errors', async () => {
    const thrown = [new Permanent('never'), Object.assign(new Error('copy'), { code: 'FW_PERMANENT' })]
    await using t = await rig(make, [
      handlerNamed('h', () => {
        throw thrown.pop()
      }),
    ])
    await t.append({ id: '1' }, { id: '2' })
    expect(await t.worker.drain(Infinity)).toMatchObject({ dead: 2, remaining: 0 })
    expect(await t.state('1')).toBe('dead permanent')
  })

  test.each([
    ['a string', () => Promise.reject('text')],
    ['undefined', () => Promise.reject()],
    [
      'a RetryLater without a time',
      () => Promise.reject(Object.assign(new Error(), { code: 'FW_RETRY_LATER' })),
    ],
    [
      'an error that cannot be read',
      () =>
        Promise.reject(
          Object.create(Error.prototype, {
            message: {
              get: () => {
                throw new Error('gotcha')
              },
            },
          }),
        ),
    ],
  ])('takes %s thrown at it as a failure', async (_, handle) => {
    await using t = await rig(make, [handlerNamed('h', handle, { maxAttempts: 1 })])
    await t.append({ id: '1' })
    expect(await t.worker.drain(Infinity)).toMatchObject({ dead: 1 })
  })

  test('keeps a lane in order through a failure, and other lanes going', async () => {
    const seen: string[] = []
    await using t = await rig(make, [
      handlerNamed('h', ({ event, attempt }) => {
        if (event.id === 'a1' && attempt === 1) throw new RetryLater({ afterMs: 5000 })
        seen.push(event.id)
      }),
    ])
    await t.append(
      { id: 'a1', user: 'a' },
      { id: 'a2', user: 'a' },
      { id: 'b1', user: 'b' },
      { id: 'a3', user: 'a' },
    )
    t.worker.start()
    await t.quiet()
    expect(seen).toEqual(['b1'])
    await t.pass(5000)
    expect(seen).toEqual(['b1', 'a1', 'a2', 'a3'])
  })

  test('goes on with a lane after a dead letter', async () => {
    const seen: string[] = []
    await using t = await rig(make, [
      handlerNamed('h', ({ event }) => {
        if (event.id === 'a1') throw new Permanent('bad')
        seen.push(event.id)
      }),
    ])
    await t.append({ id: 'a1', user: 'a' }, { id: 'a2', user: 'a' })
    await t.worker.drain(Infinity)
    expect(seen).toEqual(['a2'])
  })

  test('runs no more of a handler at a time than its concurrency, and one handler does not wait for another', async () => {
    const gates = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    const quick: string[] = []
    await using t = await rig(
      make,
      [
        handlerNamed('slow', async () => {
          running += 1
          most = Math.max(most, running)
          await gates.promise
          running -= 1
        }),
        handlerNamed('quick', ({ event }) => void quick.push(event.id)),
      ],
      3,
    )
    await t.append(...Array.from({ length: 10 }, (_, n) => ({ id: `${n}` })))
    t.worker.start()
    await t.quiet()
    expect(most).toBe(3)
    expect(quick).toHaveLength(10)
    gates.resolve()
    await t.worker.drain(Infinity)
    expect(most).toBe(3)
  })

  test('settles what where refuses without running it, and counts a where that throws as a failure', async () => {
    const seen: string[] = []
    const where = ({ id }: { id: string }) => {
      if (id === '2') throw new Error('where?')
      return id === '1'
    }
    await using t = await rig(make, [
      handlerNamed('h', ({ event }) => void seen.push(event.id), { where, maxAttempts: 1 }),
    ])
    await t.append({ id: '1' }, { id: '2' }, { id: '3' })
    expect(await t.worker.drain(Infinity)).toMatchObject({ succeeded: 2, dead: 1 })
    expect(seen).toEqual(['1'])
    expect(await t.state('3')).toBe('succeeded skipped')
  })

  test('aborts a handler that takes too long, and retries it', async () => {
    const reasons: unknown[] = []
    await using t = await rig(make, [
      handlerNamed(
        'h',
        ({ signal, attempt }) => {
          if (attempt > 1) return undefined
          signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message))
          return new Promise(() => {})
        },
        { timeoutMs: 2000 },
      ),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    await t.pass(1999)
    expect(reasons).toEqual([])
    await t.pass(10_000)
    expect(reasons).toEqual([expect.stringContaining('2000 ms')])
    expect(await t.state('1')).toBe('succeeded')
  })

  test('renews the leases of long attempts', async () => {
    const end = Promise.withResolvers<void>()
    let runs = 0
    await using t = await rig(make, [
      handlerNamed(
        'h',
        () => {
          runs += 1
          return end.promise
        },
        { timeoutMs: hour },
      ),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    await t.pass(5 * 60_000)
    end.resolve()
    await t.quiet()
    expect(runs).toBe(1)
    expect(await t.state('1')).toBe('succeeded')
  })

  test('aborts an attempt whose lease was lost, and its end changes nothing', async () => {
    const end = Promise.withResolvers<void>()
    const lost = Promise.withResolvers<unknown>()
    await using t = await rig(make, [
      handlerNamed(
        'h',
        ({ signal }) => {
          signal.addEventListener('abort', () => lost.resolve(signal.reason))
          return end.promise
        },
        { timeoutMs: hour },
      ),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    // The thread slept through its lease; meanwhile another worker took the delivery.
    const stolen = await stealAfter(t, 31_000)
    await t.pass(20_000)
    expect(await lost.promise).toMatchObject({ code: 'FW_LEASE_LOST' })
    end.resolve()
    await t.quiet()
    expect(await t.state('1')).toBe('leased')
    expect(stolen).toMatchObject({ attempt: 2 })
  })

  test('stops: gives back what has not begun, waits for what has', async () => {
    const end = Promise.withResolvers<void>()
    const seen: string[] = []
    await using t = await rig(
      make,
      [
        handlerNamed('h', async ({ event }) => {
          seen.push(event.id)
          await end.promise
        }),
      ],
      1,
    )
    await t.append({ id: '1' }, { id: '2' })
    t.worker.start()
    await t.quiet()
    const stopping = t.worker.stop(10_000)
    await t.quiet()
    end.resolve()
    await stopping
    expect(seen).toEqual(['1'])
    expect(await t.state('1')).toBe('succeeded')
    expect(await t.state('2')).toBe('pending')
  })

  test('stops: aborts what does not end in time and leaves its attempt uncounted', async () => {
    let reason: unknown
    await using t = await rig(make, [
      handlerNamed(
        'h',
        ({ signal }) => {
          signal.addEventListener('abort', () => (reason = signal.reason))
          return new Promise(() => {})
        },
        { timeoutMs: hour },
      ),
    ])
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    const stopping = t.worker.stop(3000)
    await t.pass(3000)
    await stopping
    expect(reason).toMatchObject({ code: 'FW_LEASE_LOST' })
    const { leases } = await t.engine.claim([{ handler: 'h', limit: 1 }], 1000)
    expect(leases[0]?.attempt).toBe(1)
  })

  test('drain ends at its time, at its signal, and when there is nothing left to do now', async () => {
    await using t = await rig(make, [
      handlerNamed(
        'h',
        ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
        { timeoutMs: hour },
      ),
    ])
    await t.append({ id: '1' })
    const byTime = t.worker.drain(2000)
    await t.quiet()
    await t.pass(2000)
    expect(await byTime).toEqual({ succeeded: 0, retrying: 0, dead: 0, remaining: 1 })
    const bySignal = t.worker.drain(Infinity, AbortSignal.abort())
    expect(await bySignal).toMatchObject({ remaining: 1 })
    const { leases } = await t.engine.claim([{ handler: 'h', limit: 1 }], 1000)
    expect(leases[0]?.attempt).toBe(1)
  })

  test('drain ends at once where there are no handlers', async () => {
    await using t = await rig(make, [])
    expect(await t.worker.drain(Infinity)).toEqual({ succeeded: 0, retrying: 0, dead: 0, remaining: 0 })
  })

  test('two drains at once share the work', async () => {
    let runs = 0
    await using t = await rig(make, [
      handlerNamed('h', async () => {
        runs += 1
        await nextTurn()
      }),
    ])
    await t.append(...Array.from({ length: 50 }, (_, n) => ({ id: `${n}` })))
    const both = await Promise.all([t.worker.drain(Infinity), t.worker.drain(Infinity)])
    expect(runs).toBe(50)
    expect(both.map(({ remaining }) => remaining)).toEqual([0, 0])
  })

  test('parks an event without what its type promises, and runs nothing', async () => {
    let runs = 0
    await using t = await rig(make, [handlerNamed('h', () => void (runs += 1))])
    const { arrival } = await import('../../src/testing/arrival.ts')
    await t.engine.append([
      arrival('1', { body: Buffer.from('{"event":{"type":"user.update.complete","id":"1"}}') }),
    ])
    expect(await t.worker.drain(Infinity)).toMatchObject({ dead: 1 })
    expect(await t.state('1')).toBe('dead shape')
    expect(runs).toBe(0)
  })

  test('goes on by itself after the inbox did not answer', async () => {
    const seen: string[] = []
    let broken = true
    await using t = await rig(
      (clock) => {
        const engine = make(clock)
        return {
          ...engine,
          claim: (...args) => (broken ? Promise.reject(new Error('locked')) : engine.claim(...args)),
        }
      },
      [handlerNamed('h', ({ event }) => void seen.push(event.id))],
    )
    await t.append({ id: '1' })
    t.worker.start()
    await t.quiet()
    expect(t.logged.join()).toContain('does not answer')
    broken = false
    await t.pass(1000)
    expect(seen).toEqual(['1'])
  })

  test('asks for the next of a lane while it settles the one before, so that an engine may do both in one commit', async () => {
    let settling = 0
    const claims: number[] = []
    const watched = (clock: HandClock): Engine => {
      const engine = make(clock)
      return {
        ...engine,
        settle(settlements) {
          settling += 1
          return engine.settle(settlements).finally(() => (settling -= 1))
        },
        claim(wants, leaseMs) {
          claims.push(settling)
          return engine.claim(wants, leaseMs)
        },
      }
    }
    await using t = await rig(watched, [handlerNamed('h', () => {})])
    await t.append({ id: '1', user: 'a' }, { id: '2', user: 'a' })
    expect(await t.worker.drain(Infinity)).toMatchObject({ succeeded: 2, remaining: 0 })
    expect(claims.slice(0, 3)).toEqual([0, 1, 1])
  })

  test('says what failed without a word of the event', async () => {
    await using t = await rig(make, [
      handlerNamed(
        'h',
        () => {
          throw new Error('down')
        },
        { maxAttempts: 1 },
      ),
    ])
    await t.append({ id: '1', user: 'somebody-secret' })
    await t.worker.drain(Infinity)
    expect(t.logged.join()).toContain('"handler":"h"')
    expect(t.logged.join()).not.toContain('somebody-secret')
  })
})

async function stealAfter(t: Awaited<ReturnType<typeof rig>>, ms: number) {
  const { engine, clock } = t
  const now = clock.now()
  const later = now + ms
  Object.assign(clock, { now: () => later })
  const { leases } = await engine.claim([{ handler: 'h', limit: 1 }], 30_000_000)
  return leases[0]
}
