import { type FSWatcher, watch as watchFile } from 'node:fs'
import { createWatcherSet } from '../../lib/watcher-set.ts'

/** Tells watchers that a delivery may have become claimable. */
export interface Watchers {
  add(wake: () => void): Disposable
  /** This process made something claimable. */
  wake(): void
  /** Listens for other processes, from when there is a file to listen to. */
  listen(): void
  close(): void
}

/** What lies on disk, as far as it is open. */
export interface Watched {
  /** The write-ahead log: every commit of any process writes to it. */
  log(): string | undefined
  /** Whether another process has committed since this was last asked: 3 us. */
  changed(): boolean
}

/** The net, for a file event that never came. */
const pollMs = 500
/** The event comes while a commit writes; this much later it is done, or writes again. */
const settleMs = 5

/** Real timers, whatever clock the inbox has: other processes live in real time. None of them keeps this one alive. */
export function watching(store: Watched): Watchers {
  const watchers = createWatcherSet(close)
  let poll: NodeJS.Timeout | undefined
  let log: FSWatcher | undefined
  let look: NodeJS.Timeout | undefined
  let writtenSince = false

  function wakeIfChanged(): void {
    if (store.changed()) watchers.wake()
  }

  function onWrite(): void {
    if (look !== undefined) {
      writtenSince = true
      return
    }
    look = setTimeout(() => {
      look = undefined
      wakeIfChanged()
      if (!writtenSince) return
      writtenSince = false
      onWrite()
    }, settleMs).unref()
  }

  function listen(): void {
    const path = store.log()
    if (log !== undefined || path === undefined || watchers.isEmpty()) return
    try {
      log = watchFile(path, { persistent: false }, (event) => {
        if (event === 'rename') deafen() // Removed or replaced: the poll listens to whatever lies there next.
        onWrite()
      })
      log.on('error', deafen)
    } catch {
      // No file events here; the poll goes on.
    }
  }

  function deafen(): void {
    log?.close()
    log = undefined
  }

  function close(): void {
    clearInterval(poll)
    clearTimeout(look)
    poll = look = undefined
    deafen()
  }

  return {
    add(watcher) {
      poll ??= setInterval(() => {
        listen()
        wakeIfChanged()
      }, pollMs).unref()
      return watchers.add(watcher)
    },
    wake: () => watchers.wake(),
    listen,
    close() {
      watchers.clear()
      close()
    },
  }
}
