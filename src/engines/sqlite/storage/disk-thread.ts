import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { threadFile } from './thread-file.ts'

/**
 * A thread that waits for the disk, so that the event loop never does. It runs one task at a time, because Linux reports a write-back error
 * only once per open file, to the first sync. A sync costs 21 us of CPU this way, and 31 us in node's thread pool, whose four threads may be
 * busy with other work for seconds.
 */
export interface DiskThread {
  /** `fdatasync`: resolves when everything written to the file so far is on disk. */
  sync(descriptor: number): Promise<void>
  /** Opens the thread's own connection. The caller's is then not the last one to close: SQLite checkpoints when the last one closes. */
  open(path: string): void
  /** Copies the WAL into the database. `truncate` also waits up to 100 ms for readers, and empties the WAL. */
  checkpoint(path: string, mode: 'passive' | 'truncate'): Promise<Checkpointed>
  /** Closes the thread's connection, if it has one. */
  closeConnection(): Promise<void>
  /** Ends the thread. */
  end(): Promise<void>
  /** The thread has answered once, 30 ms after its start. Before that, and where worker threads do not work, the caller does the work itself. */
  isReady(): boolean
  /** A checkpoint runs. It takes seconds for hundreds of MB, and a sync would wait for it. */
  isCheckpointing(): boolean
  /** The thread ended or failed: every call rejects from now on. */
  hasEnded(): boolean
}

/** What `pragma wal_checkpoint` answers; in pages. */
export interface Checkpointed {
  /** 1: the checkpoint was not finished, because a connection reads an older snapshot or writes. */
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

/** A message from the thread. An error's own properties are sent separately, because cloning an Error loses them. */
export type TaskResult = { readonly value: unknown } | { readonly error: Error; readonly properties: object }

/** Undefined where no thread can start: bundled without its file, or forbidden by node's permission model. */
export function startDiskThread(): DiskThread | undefined {
  const url = threadFile('storage/disk-worker')
  if (url === undefined) return undefined
  const wakeups = new Int32Array(new SharedArrayBuffer(4))
  const { port1: tasks, port2 } = new MessageChannel()
  tasks.unref()
  const worker = start(url, { wakeups, tasks: port2 })
  if (worker === undefined) return undefined
  const waiting: Waiting[] = []
  let ready = false
  let ended: Error | undefined
  let checkpoints = 0

  worker.on('message', (result: TaskResult) => {
    ready = true
    const call = waiting.shift()
    if (waiting.length === 0) worker.unref()
    if ('error' in result) call?.reject(Object.assign(result.error, result.properties))
    else call?.resolve(result.value)
  })
  worker.on('error', fail)
  worker.on('exit', () => fail(new Error('the thread that syncs the inbox has ended')))
  worker.unref() // After `on`, which refs the thread again.

  function fail(error: unknown): void {
    ended ??= error instanceof Error ? error : new Error(String(error))
    for (const { reject } of waiting.splice(0)) reject(ended)
  }

  async function terminate(): Promise<void> {
    fail(new Error('the thread that syncs the inbox was not ready yet'))
    await worker?.terminate()
  }

  function send(task: Task): Promise<unknown> {
    if (ended !== undefined) return Promise.reject(ended)
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      if (waiting.length === 1) worker?.ref()
      tasks.postMessage(task)
      Atomics.add(wakeups, 0, 1)
      Atomics.notify(wakeups, 0)
    })
  }

  return {
    async sync(descriptor) {
      await send(['sync', descriptor])
    },
    open(path) {
      send(['open', path]).catch(() => {}) // A checkpoint tries again, and reports the error.
    },
    async checkpoint(path, mode) {
      checkpoints += 1
      try {
        return (await send(['checkpoint', path, mode])) as Checkpointed // disk-worker.ts answers a checkpoint with this.
      } finally {
        checkpoints -= 1
      }
    },
    async closeConnection() {
      await (ready ? send(['close connection']) : terminate())
    },
    async end() {
      if (ended !== undefined) return
      await (ready ? send(['end']).catch(() => {}) : terminate())
      fail(new Error('the inbox was closed'))
    },
    isReady: () => ready && ended === undefined,
    isCheckpointing: () => checkpoints > 0,
    hasEnded: () => ended !== undefined,
  }
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

function start(url: URL, workerData: { wakeups: Int32Array; tasks: MessagePort }): Worker | undefined {
  try {
    // Does not inherit the process's flags: a worker refuses some of them. Does not track descriptors: another thread opened them.
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
