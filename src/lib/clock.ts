/** Where time comes in, so that a test can decide what time it is. Pass one to `sqlite`, `memory` or `emulate`. */
export interface Clock {
  /** Epoch milliseconds that never run backwards: the wall clock at start, advanced by the monotonic one. */
  now(): number
  /**
   * Calls back once after `ms`. Returns what takes it back.
   *
   * @param keepsProcess Whether the process stays alive for it. Default: true.
   */
  after(ms: number, call: () => void, keepsProcess?: boolean): () => void
  /** How long the host has been up, however its clock was set. Default: what the system says. */
  uptime?(): Uptime
}

/** How long a host has been up. */
export interface Uptime {
  /** Since the boot, in ms. Time that the host slept counts. */
  readonly ms: number
  /** Tells one boot of the host from another. */
  readonly boot: number
}

/** What node's timers can wait: beyond it they ring at once. */
export const longestMs: number = 2 ** 31 - 1

const startedAt = performance.timeOrigin

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => startedAt + performance.now(),
  after(ms, call, keepsProcess = true) {
    const timer = setTimeout(call, ms)
    if (!keepsProcess) timer.unref()
    return () => clearTimeout(timer)
  },
}
