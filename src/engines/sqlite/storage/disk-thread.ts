import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { threadFile } from './thread-file.ts'

/**
 * A thread that waits for the disk, so that the event loop never does. It does one thing at a time: the first call's result counts, because
 * Linux reports a write-back error once per open file. A sync costs 21 us of CPU this way, and 31 us in node's thread pool, whose four
 * threads may be busy with something else for seconds.
 */
export interface DiskThread {
  /** `fdatasync`: resolves when all that was written to the file so far is on disk. */
  sync(descriptor: number): Promise<void>
  /** Opens a connection of the thread's own, so that closing the caller's is not the last close, which would move the log on this thread. */
  open(path: string): void
  /** Moves the write-ahead log into the database. `truncate` also waits up to 100 ms for readers, and leaves the log empty. */
  checkpoint(path: string, mode: 'passive' | 'truncate'): Promise<Checkpointed>
  /** Closes the thread's connection, if it has one. */
  closeConnection(): Promise<void>
  /** Ends the thread. */
  end(): Promise<void>
  /** It has answered once. Until then, which takes 30 ms (and for ever where worker threads do not work), the caller does the work itself. */
  isReady(): boolean
  /** It moves the log, which takes seconds for hundreds of MB: a sync would wait behind that. */
  isMovingLog(): boolean
  /** It ended, or failed: every call rejects from now on. */
  hasEnded(): boolean
}

/** What `pragma wal_checkpoint` answers; in pages. */
export interface Checkpointed {
  /** 1: it could not be finished, because a connection reads an older state of the database or writes. */
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
}

/** A message to the thread. */
export type Task =
  | readonly ['sync', number]
  | readonly ['open', string]
  | readonly ['checkpoint', string, 'passive' | 'truncate']
  | readonly ['close connection']
  | readonly ['end']

/** A message from the thread. An error's own properties are sent apart, because cloning an Error loses them. */
export type Done = { readonly value: unknown } | { readonly error: Error; readonly properties: object }

/** Undefined where no thread can be had: bundled without its file, or not allowed by node's permission model. */
export function startDiskThread(): DiskThread | undefined {
  const url = threadFile('storage/disk-worker')
  if (url === undefined) return undefined
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const { port1: tasks, port2 } = new MessageChannel()
  tasks.unref()
  const worker = start(url, { bell, tasks: port2 })
  if (worker === undefined) return undefined
  const waiting: Waiting[] = []
  let ready = false
  let ended: Error | undefined
  let checkpoints = 0

  worker.on('message', (done: Done) => {
    ready = true
    const asked = waiting.shift()
    if (waiting.length === 0) worker.unref()
    if ('error' in done) asked?.reject(Object.assign(done.error, done.properties))
    else asked?.resolve(done.value)
  })
  worker.on('error', giveUp)
  worker.on('exit', () => giveUp(new Error('the thread that syncs the inbox has ended')))
  worker.unref() // After `on`, which keeps the process for the thread.

  function giveUp(error: unknown): void {
    ended ??= error instanceof Error ? error : new Error(String(error))
    for (const { reject } of waiting.splice(0)) reject(ended)
  }

  async function terminate(): Promise<void> {
    giveUp(new Error('the thread that syncs the inbox was not ready yet'))
    await worker?.terminate()
  }

  function ask(task: Task): Promise<unknown> {
    if (ended !== undefined) return Promise.reject(ended)
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      if (waiting.length === 1) worker?.ref()
      tasks.postMessage(task)
      Atomics.add(bell, 0, 1)
      Atomics.notify(bell, 0)
    })
  }

  return {
    async sync(descriptor) {
      await ask(['sync', descriptor])
    },
    open(path) {
      ask(['open', path]).catch(() => {}) // A checkpoint opens it again, and says what is wrong with the file.
    },
    async checkpoint(path, mode) {
      checkpoints += 1
      try {
        return (await ask(['checkpoint', path, mode])) as Checkpointed // disk-worker.ts answers a checkpoint with this.
      } finally {
        checkpoints -= 1
      }
    },
    async closeConnection() {
      await (ready ? ask(['close connection']) : terminate())
    },
    async end() {
      if (ended !== undefined) return
      await (ready ? ask(['end']).catch(() => {}) : terminate())
      giveUp(new Error('the inbox was closed'))
    },
    isReady: () => ready && ended === undefined,
    isMovingLog: () => checkpoints > 0,
    hasEnded: () => ended !== undefined,
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

function start(url: URL, workerData: { bell: Int32Array; tasks: MessagePort }): Worker | undefined {
  try {
    // The process's own flags are not inherited: a worker refuses some of them. Descriptors belong to the thread that opened them.
    return new Worker(url, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: {},
      trackUnmanagedFds: false,
      workerData,
      transferList: [workerData.tasks],
    })
  } catch {
    return undefined // ERR_ACCESS_DENIED of `node --permission`.
  }
}
