import { expect, onTestFinished, test } from 'vitest'
import { withTimeout } from '../../src/lib/with-timeout.ts'
import { handClock } from '../../src/testing/hand-clock.ts'

const late = () => new Error('late')

test('work that aborts the outer signal while it begins, and then rejects, leaves no unhandled rejection', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const outer = new AbortController()
  const work = async (signal: AbortSignal) => {
    outer.abort(new Error('stopped'))
    await Promise.resolve()
    signal.throwIfAborted()
  }
  await expect(
    withTimeout({ ms: 1000, clock: handClock(), late, signal: outer.signal }, work),
  ).rejects.toThrow('stopped')
  await new Promise((resolve) => setImmediate(resolve))
  expect(unhandled).toEqual([])
})

test('work that ends is cut off by neither clock nor signal afterwards', async () => {
  const clock = handClock()
  const outer = new AbortController()
  let inner: AbortSignal | undefined
  const result = withTimeout({ ms: 1000, clock, late, signal: outer.signal }, async (signal) => {
    inner = signal
    return 'done'
  })
  expect(await result).toBe('done')
  outer.abort()
  await clock.advance(2000)
  expect(inner?.aborted).toBe(false)
})

test('work that takes too long is aborted with the error that is thrown', async () => {
  const clock = handClock()
  let reason: unknown
  const result = withTimeout({ ms: 1000, clock, late }, (signal) => {
    signal.addEventListener('abort', () => (reason = signal.reason))
    return new Promise(() => {})
  })
  const rejected = expect(result).rejects.toThrow('late')
  await clock.advance(1000)
  await rejected
  expect(reason).toEqual(new Error('late'))
})

test.each([0, -1])('work is not begun with %d ms left', (ms) => {
  let begun = false
  expect(() => withTimeout({ ms, clock: handClock(), late }, () => (begun = true))).toThrow('late')
  expect(begun).toBe(false)
})

test('work that blocks the thread past its time is late', () => {
  let now = 0
  const clock = { ...handClock(), now: () => now }
  expect(() => withTimeout({ ms: 10, clock, late }, () => (now = 10))).toThrow('late')
})
