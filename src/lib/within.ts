import type { Clock } from './clock.ts'

export interface Within {
  readonly ms: number
  readonly clock: Clock
  /** What is thrown, and the signal's reason, when time is up. */
  readonly late: () => Error
  /** Ends the wait from outside, with its own reason. */
  readonly signal?: AbortSignal
}

/**
 * Runs `work` with a signal and rejects with `late()` when it has not ended within `ms`, aborting the signal with the same error. Work that
 * blocks the thread past its time is late too, although it has ended; without time left it is not begun. What `work` does later is its own affair.
 */
export async function within<T>(options: Within, work: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
  const { ms, clock, late, signal: outside } = options
  if (ms <= 0) throw late() // Too late to begin: a gate would delete what FusionAuth has already decided about.
  const controller = new AbortController()
  const endsAt = clock.now() + ms
  const { promise: given, reject } = Promise.withResolvers<never>()
  const giveUp = (error: unknown) => {
    controller.abort(error)
    reject(error)
  }
  const abandon = () => giveUp(outside?.reason)
  if (outside?.aborted === true) abandon()
  outside?.addEventListener('abort', abandon)
  const cancel = clock.after(ms, () => giveUp(late()))
  try {
    const result = await Promise.race([start(work, controller.signal), given])
    if (clock.now() >= endsAt) giveUp(late())
    else return result
    return await given
  } finally {
    cancel()
    outside?.removeEventListener('abort', abandon)
  }
}

/** As a promise even when `work` throws before it returns one. */
async function start<T>(work: (signal: AbortSignal) => T | Promise<T>, signal: AbortSignal): Promise<T> {
  return work(signal)
}
