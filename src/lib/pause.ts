import type { Clock } from './clock.ts'

export interface PauseOptions {
  /** Ends the pause early; the promise then resolves, too. */
  readonly signal?: AbortSignal
  /** Whether the process stays alive for the pause. Default: true. */
  readonly keepsProcess?: boolean
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(clock: Clock, ms: number, options: PauseOptions = {}): Promise<void> {
  const { signal, keepsProcess = true } = options
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const cancel = clock.after(ms, end, keepsProcess)
    signal?.addEventListener('abort', end)

    function end(): void {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
  })
}
