import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'

export interface ReloadOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  readonly stdio: StdioOptions
  /** Where a changed source file starts it again. */
  readonly folder: string
  started(child: ChildProcess): void
  /** A file of this name changed. */
  changed(file: string): void
  /** It ended by itself, after so many starts. */
  ended(code: number | null, starts: number): void
}

/** What editors write several times in a row counts once. */
const settleMs = 100
const source = /\.(?:[cm]?[jt]sx?|json)$/
const ignored = /(?:^|[\\/])(?:node_modules|dist|\.[^\\/]+|[^\\/]+\.session\.json)(?:[\\/]|$)/

/** Runs a program, and starts it again when a source file changes, until it is stopped. */
export function reloaded(options: ReloadOptions): { stop(): Promise<void> } {
  const { command, env, stdio, folder } = options
  let starts = 0
  let stopping = false
  let restarting: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let child = start()

  const watcher = watch(folder, { recursive: true }, (_, file) => {
    if (file === null || !source.test(file) || ignored.test(file)) return
    clearTimeout(timer)
    timer = setTimeout(() => void (restarting ??= restart(file)), settleMs)
  })

  function start(): ChildProcess {
    const [program, ...args] = command
    starts += 1
    // A process group of its own: Ctrl+C reaches us alone, and we reach whatever it starts.
    const started = spawn(program, args, { env, stdio, detached: true })
    started.once('error', () => options.ended(127, starts))
    started.once('exit', (code) => {
      if (!stopping && restarting === undefined) options.ended(code, starts)
    })
    options.started(started)
    return started
  }

  async function restart(file: string): Promise<void> {
    options.changed(file)
    await end(child)
    restarting = undefined
    if (!stopping) child = start()
  }

  return {
    async stop() {
      stopping = true
      clearTimeout(timer)
      watcher.close()
      await restarting
      await end(child)
    },
  }
}

/** Asks it and what it started to stop, and waits till it has. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  process.kill(-child.pid, 'SIGTERM')
  await gone
}
