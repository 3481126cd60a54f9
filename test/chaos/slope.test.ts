import { expect, test } from 'vitest'
import { growthPerMinute } from './slope.ts'

const everyMinute = (values: readonly number[]) => values.map((value, minute) => ({ minute, value }))

test('a level has no growth, whatever its spikes', () => {
  expect(growthPerMinute(everyMinute([100, 101, 99, 400, 100, 101, 99, 100, 30, 100]))).toBeCloseTo(0, 2)
})

test('a leak is seen through its noise', () => {
  const leak = everyMinute(Array.from({ length: 30 }, (_, n) => 200 + 6 * n + (n % 3) * 5))
  expect(growthPerMinute(leak)).toBeGreaterThan(0.015)
})

test('what shrinks grows by less than nothing', () => {
  expect(growthPerMinute(everyMinute([100, 90, 80, 70]))).toBeLessThan(-0.1)
})

test('nothing at all does not grow', () => {
  expect(growthPerMinute(everyMinute([0, 0, 0]))).toBe(0)
})
