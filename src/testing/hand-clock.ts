import type { Clock } from '../lib/clock.ts'

/** A clock that only `advance` moves. */
export interface HandClock extends Clock {
  /** Moves the clock by `ms`. Stops at every timer that falls due: calls it, and awaits `between`, before it goes on. */
  advance(ms: number, between?: () => Promise<unknown>): Promise<void>
}

/**
 * @param startAt Epoch ms. Default: the machine's time.
 * @param boot Clocks with the same number belong to one host, even if they are set differently. Default: 1.
 */
export function handClock(startAt: number = Date.now(), boot = 1): HandClock {
  const timers = new Set<{ readonly at: number; readonly call: () => void }>()
  let now = startAt

  function nextBefore(end: number) {
    const due = [...timers].filter(({ at }) => at <= end)
    return due.toSorted((a, b) => a.at - b.at)[0]
  }

  return {
    now: () => now,
    uptime: () => ({ ms: now - startAt, boot }),
    after(ms, call) {
      const timer = { at: now + ms, call }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms, between) {
      const end = now + ms
      for (let timer = nextBefore(end); timer !== undefined; timer = nextBefore(end)) {
        now = Math.max(now, timer.at)
        timers.delete(timer)
        timer.call()
        await between?.()
      }
      now = end
    },
  }
}
