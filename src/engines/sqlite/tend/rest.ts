import { isMainThread } from 'node:worker_threads'

const bell = new Int32Array(new SharedArrayBuffer(4))
const longestMs = 10

/**
 * Gives a function that lets this thread sleep as long as it has worked since: what is long counts beside those who acknowledge, on few
 * processors. The main thread never sleeps.
 */
export function resting(): () => void {
  let since = performance.now()
  return () => {
    if (!isMainThread) Atomics.wait(bell, 0, 0, Math.min(performance.now() - since, longestMs))
    since = performance.now()
  }
}
