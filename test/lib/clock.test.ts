import { setTimeout as wait } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { longestMs, systemClock } from '../../src/lib/clock.ts'

test.each([longestMs + 1, 2 ** 40, Infinity])('a delay of %d ms does not end at once', async (ms) => {
  let rang = false
  const cancel = systemClock.after(ms, () => (rang = true), false)
  await wait(20)
  cancel()
  expect(rang).toBe(false)
})

test('a delay longer than a timer of node ends at its time, and can be cancelled until then', () => {
  vi.useFakeTimers()
  try {
    const rang: string[] = []
    systemClock.after(2 * longestMs + 5, () => rang.push('a'))
    const cancel = systemClock.after(2 * longestMs + 5, () => rang.push('b'))
    vi.advanceTimersByTime(longestMs)
    vi.advanceTimersByTime(longestMs + 4)
    expect(rang).toEqual([])
    cancel()
    vi.advanceTimersByTime(1)
    expect(rang).toEqual(['a'])
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})

test('the clock never runs backwards', () => {
  let before = systemClock.now()
  for (let i = 0; i < 1000; i++) {
    const now = systemClock.now()
    expect(now).toBeGreaterThanOrEqual(before)
    before = now
  }
})
