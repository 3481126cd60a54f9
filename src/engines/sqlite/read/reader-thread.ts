import { Worker } from 'node:worker_threads'
import type { ReaderRequest } from './reader-request.ts'
import { threadFile } from '../storage/thread-file.ts'

/** A thread that runs reads, so that the event loop does not. It starts at the first request, and keeps the process alive only during one. */
export interface ReaderThread {
  /** Undefined when the thread cannot start or has failed: the caller then reads in its own thread. */
  send(path: string, request: ReaderRequest): Promise<{ readonly value: unknown } | undefined>
  close(): Promise<void>
}

export function createReaderThread(): ReaderThread {
  const file = threadFile('read/reader')
  const waiting: Waiting[] = []
  let worker: Worker | undefined
  let broken = file === undefined

  function start(url: URL): Worker {
    // Does not inherit the process's execArgv: a worker refuses some flags. The first connection has already printed the warning about
    // node:sqlite. Does not close descriptors with the thread: that would drop the locks of this process (files-contain.ts).
    const execArgv = ['--disable-warning=ExperimentalWarning']
    const started = new Worker(url, { execArgv, env: {}, trackUnmanagedFds: false })
    started.on('message', (reply: { readonly value: unknown } | { readonly error: unknown }) => {
      const call = waiting.shift()
      if (waiting.length === 0) started.unref()
      if ('error' in reply) call?.reject(reply.error)
      else call?.resolve(reply)
    })
    started.on('error', fail)
    started.on('exit', fail)
    return started
  }

  function fail(): void {
    broken = true
    worker = undefined
    for (const { resolve } of waiting.splice(0)) resolve(undefined)
  }

  return {
    send(path, request) {
      if (broken || file === undefined) return Promise.resolve(undefined)
      worker ??= start(file)
      const running = worker
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        running.ref()
        running.postMessage({ path, request })
      })
    },
    async close() {
      broken = true
      await worker?.terminate()
    },
  }
}

interface Waiting {
  readonly resolve: (reply: { readonly value: unknown } | undefined) => void
  readonly reject: (error: unknown) => void
}
