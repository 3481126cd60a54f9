import type { Clock } from '../lib/clock.ts'

/** A clock that stands still until a test moves it. */
export interface HandClock extends Clock {
  /** Moves on, and makes every call that falls due on the way, each at its time. */
  advance(ms: number): void
}

export function handClock(startAt: number = Date.UTC(2030, 0, 1)): HandClock {
  const calls = new Set<{ readonly at: number; readonly call: () => void }>()
  let now = startAt

  return {
    now: () => now,
    after(ms, call) {
      const entry = { at: now + ms, call }
      calls.add(entry)
      return () => void calls.delete(entry)
    },
    advance(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...calls].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        calls.delete(next)
        now = Math.max(now, next.at)
        next.call()
      }
      now = end
    },
  }
}
