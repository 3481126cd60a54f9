import type { Clock } from './clock.ts'
import { isThenable } from './is-thenable.ts'

export interface TimeoutOptions {
  readonly ms: number
  readonly clock: Clock
  /** What is thrown, and the signal's reason, when time is up. */
  readonly late: () => Error
  /** Ends the wait from outside, with its own reason. */
  readonly signal?: AbortSignal
}

/**
 * Runs `work` with a signal, and aborts the signal and throws `late()` when it has not ended within `ms`. A promise only where `work` returns
 * something to wait for, because only that needs a timer; otherwise it returns, and throws, at once. Work that blocks the thread past its
 * time is late too, although it has ended; without time left, or when already ended from outside, it is not begun. What `work` does later
 * is its own affair.
 */
export function withTimeout<T>(
  options: TimeoutOptions,
  work: (signal: AbortSignal) => T | Promise<T>,
): T | Promise<T> {
  const { ms, clock, late, signal: outside } = options
  if (ms <= 0) throw late() // Too late to begin: a gate would delete what FusionAuth has already decided about.
  outside?.throwIfAborted()
  const endsAt = clock.now() + ms
  const controller = new AbortController()
  const result = work(controller.signal)
  if (isThenable(result)) return bounded(result, endsAt, controller, options)
  if (clock.now() < endsAt) return result
  const error = late()
  controller.abort(error)
  throw error
}

function bounded<T>(
  work: PromiseLike<T>,
  endsAt: number,
  controller: AbortController,
  { clock, late, signal: outside }: TimeoutOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, endsAt - clock.now()), () => giveUp(late()))
    const abandon = () => giveUp(outside?.reason)
    if (outside?.aborted === true) return abandon()
    outside?.addEventListener('abort', abandon)

    function giveUp(error: unknown): void {
      controller.abort(error)
      end()
      reject(error)
    }
    function end(): void {
      cancel()
      outside?.removeEventListener('abort', abandon)
    }

    Promise.resolve(work).then(
      (value) => {
        if (clock.now() >= endsAt) return giveUp(late())
        end()
        resolve(value)
      },
      (error) => {
        end()
        reject(error)
      },
    )
  })
}
