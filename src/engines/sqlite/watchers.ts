import { type FSWatcher, watch as watchFile } from 'node:fs'
import { createWatcherSet } from '../../lib/watcher-set.ts'

/** Wakes watchers when a delivery may have become claimable. */
export interface Watchers {
  add(wake: () => void): Disposable
  /** This process has made a delivery claimable. */
  wake(): void
  /** Listens for commits of other processes, once there is a file to watch. */
  listen(): void
  close(): void
}

/** The open file. */
export interface WatchedFile {
  /** The path of the WAL: every commit of any process writes to it. */
  walPath(): string | undefined
  /** Whether another process has committed since the last call: 3 us. */
  changed(): boolean
}

/** Finds commits whose file event was lost. */
const pollMs = 500
/** The file event comes while a commit is being written. After this time the commit is complete, or has caused another event. */
const settleMs = 5

/** Uses real timers, whatever clock the inbox has, because other processes live in real time. They do not keep the process alive. */
export function createWatchers(file: WatchedFile): Watchers {
  const watchers = createWatcherSet(close)
  let poll: NodeJS.Timeout | undefined
  let fileWatcher: FSWatcher | undefined
  let check: NodeJS.Timeout | undefined
  let writtenSince = false

  function wakeIfChanged(): void {
    if (file.changed()) watchers.wake()
  }

  function onWrite(): void {
    if (check !== undefined) {
      writtenSince = true
      return
    }
    check = setTimeout(() => {
      check = undefined
      wakeIfChanged()
      if (!writtenSince) return
      writtenSince = false
      onWrite()
    }, settleMs).unref()
  }

  function listen(): void {
    const path = file.walPath()
    if (fileWatcher !== undefined || path === undefined || watchers.isEmpty()) return
    try {
      fileWatcher = watchFile(path, { persistent: false }, (event) => {
        if (event === 'rename') stopListening() // Removed or replaced: the poll watches the next file at this path.
        onWrite()
      })
      fileWatcher.on('error', stopListening)
    } catch {
      // This file system has no file events; the poll still works.
    }
  }

  function stopListening(): void {
    fileWatcher?.close()
    fileWatcher = undefined
  }

  function close(): void {
    clearInterval(poll)
    clearTimeout(check)
    poll = check = undefined
    stopListening()
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
