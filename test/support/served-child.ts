import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'

const key = 'the key of a process that serves'

export interface ServedChild extends AsyncDisposable {
  readonly url: string
  /** What it said: log lines, runs of its gate and handler. */
  readonly said: readonly Said[]
  readonly process: ChildProcess
  /** Sends an event as FusionAuth would. */
  send(event?: {
    readonly type?: string
    readonly id?: string
    readonly createInstant?: number
  }): Promise<Sent>
}

export interface Said {
  readonly level?: string
  readonly message?: string
  readonly fields?: object
  readonly gated?: string
  readonly handled?: string
  readonly busy?: true
}

export interface Sent {
  readonly id: string
  readonly status: number
  readonly tookMs: number
}

/** Starts a process that serves an inbox (children/serve.ts) in an environment. */
export async function serveChild(file: string, env: NodeJS.ProcessEnv): Promise<ServedChild> {
  const child = fork(new URL('../engines/children/serve.ts', import.meta.url), [file, key], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...env },
  })
  const said: Said[] = []
  const closed = once(child, 'close')
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: Said & { url?: string }) => {
      if (message.url === undefined) said.push(message)
      else resolve(message.url)
    })
    closed.then(() => reject(new Error(`the process ended: ${JSON.stringify(said)}`)), reject)
  })
  return {
    url,
    said,
    process: child,
    async send({ type = 'user.update.complete', id = randomUUID(), createInstant = Date.now() } = {}) {
      const began = performance.now()
      const event = { type, id, createInstant, tenantId: randomUUID(), user: { id: randomUUID() } }
      const { status } = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: key },
        body: JSON.stringify({ event }),
      })
      return { id, status, tookMs: performance.now() - began }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
