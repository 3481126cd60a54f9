import type { Clock } from './clock.ts'
import { isThenable } from './is-thenable.ts'

export interface TimeoutOptions {
  readonly ms: number
  readonly clock: Clock
  /** The error to throw, and the signal's reason, when the time is up. */
  readonly late: () => Error
  /** Ends the wait from outside, with its own reason. */
  readonly signal?: AbortSignal
}

/**
 * Runs `work` with a signal. If it has not ended within `ms`, aborts the signal and throws `late()`.
 *
 * Returns a promise only when `work` does, because only then a timer is needed; otherwise it returns or throws synchronously. Work that
 * blocks the thread past its time is late too, although it has ended. Work is not begun when there is no time left or the outer signal has
 * aborted. What `work` does after its time is ignored.
 */
export function withTimeout<T>(
  options: TimeoutOptions,
  work: (signal: AbortSignal) => T | Promise<T>,
): T | Promise<T> {
  const { ms, clock, late, signal: outer } = options
  if (ms <= 0) throw late() // Not begun: a gate could otherwise change data for an event that FusionAuth has already decided about.
  outer?.throwIfAborted()
  const endsAt = clock.now() + ms
  const controller = new AbortController()
  const result = work(controller.signal)
  if (isThenable(result)) return settleInTime(result, endsAt, controller, options)
  if (clock.now() < endsAt) return result
  const error = late()
  controller.abort(error)
  throw error
}

function settleInTime<T>(
  work: PromiseLike<T>,
  endsAt: number,
  controller: AbortController,
  { clock, late, signal: outer }: TimeoutOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.after(Math.max(0, endsAt - clock.now()), () => giveUp(late()))
    const onAbort = () => giveUp(outer?.reason)

    function giveUp(error: unknown): void {
      controller.abort(error)
      cleanUp()
      reject(error)
    }
    function cleanUp(): void {
      cancelTimer()
      outer?.removeEventListener('abort', onAbort)
    }

    Promise.resolve(work).then(
      (value) => {
        if (clock.now() >= endsAt) return giveUp(late())
        cleanUp()
        resolve(value)
      },
      (error) => {
        cleanUp()
        reject(error)
      },
    )
    // `work` may have aborted the outer signal while it began.
    if (outer?.aborted === true) onAbort()
    else outer?.addEventListener('abort', onAbort)
  })
}
