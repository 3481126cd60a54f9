/** Functions that are called when something may have changed. */
export interface WatcherSet {
  /** Disposing the result takes the function out again. */
  add(watcher: () => void): Disposable
  /** Calls every function, in a microtask: however often `wake` is called before that, each function is called once. */
  wake(): void
  isEmpty(): boolean
  clear(): void
}

/** @param onEmpty Called when the last function is taken out. */
export function createWatcherSet(onEmpty: () => void = () => {}): WatcherSet {
  const watchers = new Set<() => void>()
  let waking = false
  return {
    add(watcher) {
      watchers.add(watcher)
      return {
        [Symbol.dispose]() {
          if (watchers.delete(watcher) && watchers.size === 0) onEmpty()
        },
      }
    },
    wake() {
      if (waking || watchers.size === 0) return
      waking = true
      queueMicrotask(() => {
        waking = false
        for (const watcher of watchers) watcher()
      })
    },
    isEmpty: () => watchers.size === 0,
    clear: () => watchers.clear(),
  }
}
