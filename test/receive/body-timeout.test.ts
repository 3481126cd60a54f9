import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BodyTimeout } from '../../src/receive/body-timeout.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('what falls silent is given up after 1.5 s, what goes on is not', () => {
  const patience = new BodyTimeout()
  const given: string[] = []
  const silent = patience.begin(() => {
    given.push('silent')
    patience.end(silent)
  })
  const lively = patience.begin(() => given.push('lively'))
  for (let spent = 0; spent < 1500; spent += 250) {
    vi.advanceTimersByTime(250)
    patience.progressed(lively)
    expect(given).toEqual([])
  }
  vi.advanceTimersByTime(250)
  expect(given).toEqual(['silent'])
})

test('what drips steadily is given up after 10 s', () => {
  const patience = new BodyTimeout()
  let slow = 0
  const wait = patience.begin(() => {
    slow += 1
    patience.end(wait)
  })
  for (let spent = 0; spent < 10_000; spent += 250) {
    vi.advanceTimersByTime(250)
    patience.progressed(wait)
  }
  expect(slow).toBe(0)
  vi.advanceTimersByTime(250)
  expect(slow).toBe(1)
})

test('what has ended is never given up, in whatever order it ended', () => {
  const patience = new BodyTimeout()
  const slow: number[] = []
  const waits = [0, 1, 2, 3].map((n) => patience.begin(() => slow.push(n)))
  for (const n of [1, 3, 0]) {
    const wait = waits[n]
    if (wait !== undefined) patience.end(wait)
  }
  vi.advanceTimersByTime(1750)
  expect(slow).toEqual([2])
})

test('nothing ticks once nobody waits', () => {
  const patience = new BodyTimeout()
  patience.end(patience.begin(() => {}))
  vi.advanceTimersByTime(250)
  expect(vi.getTimerCount()).toBe(0)
})
