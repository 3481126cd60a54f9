/**
 * Runs `work` with a signal and rejects with `late()` when it has not ended within `ms`, aborting the signal with the same error. Work that
 * blocks the thread past its time is late too, although it has ended. What `work` does after that is its own affair and goes unheard.
 */
export async function within<T>(
  ms: number,
  late: () => Error,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const endsAt = performance.now() + ms
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        const error = late()
        controller.abort(error)
        reject(error)
      },
      Math.max(0, ms),
    )
  })
  try {
    const result = await Promise.race([start(work, controller.signal), timeout])
    if (performance.now() < endsAt) return result
    const error = late()
    controller.abort(error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** As a promise even when `work` throws before it returns one. */
async function start<T>(work: (signal: AbortSignal) => T | Promise<T>, signal: AbortSignal): Promise<T> {
  return work(signal)
}
