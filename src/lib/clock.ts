/** Where time comes in, so that a test can decide what time it is. Pass one to `sqlite`, `memory` or `emulate`. */
export interface Clock {
  /** Epoch milliseconds that never run backwards: the wall clock at start, advanced by the monotonic one. */
  now(): number
  /**
   * Calls `call` once after `ms`. Returns a function that cancels it.
   *
   * @param keepsProcess Whether the process stays alive for it. Default: true.
   */
  after(ms: number, call: () => void, keepsProcess?: boolean): () => void
  /** How long the host has been up, however its clock was set. Default: what the system reports. */
  uptime?(): Uptime
  /** A number from 0 up to, but not including, 1. Default: `Math.random`. */
  random?(): number
}

/** How long a host has been up. */
export interface Uptime {
  /** Since the boot, in ms. Time that the host slept counts. */
  readonly ms: number
  /** Distinguishes one boot of the host from another. */
  readonly boot: number
}

/** The longest delay of a timer of node: setTimeout fires at once when given more. */
export const longestMs: number = 2 ** 31 - 1

const startedAt = performance.timeOrigin

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => startedAt + performance.now(),
  after(ms, call, keepsProcess = true) {
    let timer = startTimer(ms)
    return () => clearTimeout(timer)

    function startTimer(leftMs: number): NodeJS.Timeout {
      const next = leftMs > longestMs ? () => (timer = startTimer(leftMs - longestMs)) : call
      const started = setTimeout(next, Math.min(leftMs, longestMs))
      if (!keepsProcess) started.unref()
      return started
    }
  },
}

export function randomOf(clock: Clock): number {
  return clock.random?.() ?? Math.random()
}
