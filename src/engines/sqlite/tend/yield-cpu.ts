import { isMainThread } from 'node:worker_threads'

const sleeper = new Int32Array(new SharedArrayBuffer(4))
const longestMs = 10

/**
 * The returned function lets this thread sleep for as long as it has worked since the last call, at most 10 ms. On a host with few
 * processors a long count would otherwise slow down the thread that acknowledges events. In the main thread it does nothing.
 */
export function prepareYieldCpu(): () => void {
  let since = performance.now()
  return () => {
    if (!isMainThread) Atomics.wait(sleeper, 0, 0, Math.min(performance.now() - since, longestMs))
    since = performance.now()
  }
}
