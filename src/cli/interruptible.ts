import { Failure } from './failure.ts'
import { text } from './text.ts'

/** Runs long work that Ctrl+C stops between two steps, with a message that says how much was done. */
export async function interruptible<T>(
  work: (signal: AbortSignal, at: (done: number) => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let done = 0
  const stop = () => controller.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await work(controller.signal, (now) => (done = now))
  } catch (error) {
    if (!controller.signal.aborted) throw error
    throw new Failure(130, text`Stopped. What was done, ${done} so far, stays done.`, { cause: error })
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
