import { Worker } from 'node:worker_threads'
import type { Question } from './questions.ts'
import { threadFile } from '../storage/thread-file.ts'

/** The thread that reads. Started by the first question; keeps the process only while one is open. */
export interface ReaderThread {
  /** Undefined when no thread is to be had: whoever asks has to look himself. */
  ask(path: string, question: Question): Promise<{ readonly value: unknown } | undefined>
  close(): Promise<void>
}

export function readerThread(): ReaderThread {
  const file = threadFile('read/reader')
  const waiting: Waiting[] = []
  let worker: Worker | undefined
  let broken = file === undefined

  function start(url: URL): Worker {
    // Of the process's own flags some are refused here; that node:sqlite is young was said by the first connection.
    // Descriptors outlive the thread: to close one would take the locks of this process along (scrub.ts).
    const execArgv = ['--disable-warning=ExperimentalWarning']
    const started = new Worker(url, { execArgv, env: {}, trackUnmanagedFds: false })
    started.on('message', (reply: { readonly value: unknown } | { readonly error: unknown }) => {
      const asked = waiting.shift()
      if (waiting.length === 0) started.unref()
      if ('error' in reply) asked?.reject(reply.error)
      else asked?.resolve(reply)
    })
    started.on('error', giveUp)
    started.on('exit', giveUp)
    return started
  }

  function giveUp(): void {
    broken = true
    worker = undefined
    for (const { resolve } of waiting.splice(0)) resolve(undefined)
  }

  return {
    ask(path, question) {
      if (broken || file === undefined) return Promise.resolve(undefined)
      worker ??= start(file)
      const asking = worker
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        asking.ref()
        asking.postMessage({ path, question })
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
