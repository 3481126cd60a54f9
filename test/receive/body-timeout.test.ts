import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BodyTimeout } from '../../src/receive/body-timeout.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a body that stops coming expires after 1.5 s, one that goes on does not', () => {
  const timeout = new BodyTimeout()
  const given: string[] = []
  const silent = timeout.begin(() => {
    given.push('silent')
    timeout.end(silent)
  })
  const lively = timeout.begin(() => given.push('lively'))
  for (let spent = 0; spent < 1500; spent += 250) {
    vi.advanceTimersByTime(250)
    timeout.progressed(lively)
    expect(given).toEqual([])
  }
  vi.advanceTimersByTime(250)
  expect(given).toEqual(['silent'])
})

test('a body that comes slowly but steadily expires after 10 s', () => {
  const timeout = new BodyTimeout()
  let slow = 0
  const body = timeout.begin(() => {
    slow += 1
    timeout.end(body)
  })
  for (let spent = 0; spent < 10_000; spent += 250) {
    vi.advanceTimersByTime(250)
    timeout.progressed(body)
  }
  expect(slow).toBe(0)
  vi.advanceTimersByTime(250)
  expect(slow).toBe(1)
})

test('a body that has ended never expires, in whatever order bodies end', () => {
  const timeout = new BodyTimeout()
  const slow: number[] = []
  const bodies = [0, 1, 2, 3].map((n) => timeout.begin(() => slow.push(n)))
  for (const n of [1, 3, 0]) {
    const body = bodies[n]
    if (body !== undefined) timeout.end(body)
  }
  vi.advanceTimersByTime(1750)
  expect(slow).toEqual([2])
})

test('nothing ticks once nobody waits', () => {
  const timeout = new BodyTimeout()
  timeout.end(timeout.begin(() => {}))
  vi.advanceTimersByTime(250)
  expect(vi.getTimerCount()).toBe(0)
})
