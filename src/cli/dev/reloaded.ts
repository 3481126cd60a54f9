import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { watchSources } from './watch-sources.ts'

/** A program that dev runs. */
export interface Program {
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** It says so itself when it is ready, each time it is started; without this it is not asked. */
  ready?(said: unknown): void
}

export interface ReloadEvents {
  /** A source file of this name changed. */
  changed(file: string): void
  /** It ended by itself, after so many starts. */
  ended(code: number | null, starts: number): void
}

/** What editors write several times in a row counts once. */
const settleMs = 100

/** Runs a program, and starts it again when a source file below the folder changes, until it is stopped. */
export function reloaded(program: Program, folder: string, events: ReloadEvents): { stop(): Promise<void> } {
  const [command, ...args] = program.command
  let starts = 0
  let stopping = false
  let restarting: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let child = start()

  const watcher = watchSources(folder, (file) => {
    clearTimeout(timer)
    timer = setTimeout(() => void (restarting ??= restart(file)), settleMs)
  })

  function start(): ChildProcess {
    starts += 1
    const started = spawn(command, args, {
      env: program.env,
      stdio: program.ready === undefined ? 'inherit' : ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true, // A process group of its own: Ctrl+C reaches us alone, and we reach whatever it starts.
    })
    started.once('error', () => events.ended(127, starts))
    started.once('exit', (code) => {
      if (!stopping && restarting === undefined) events.ended(code, starts)
    })
    started.once('message', (said) => program.ready?.(said))
    return started
  }

  async function restart(file: string): Promise<void> {
    events.changed(file)
    await end(child)
    restarting = undefined
    if (!stopping) child = start()
  }

  return {
    async stop() {
      stopping = true
      clearTimeout(timer)
      watcher[Symbol.dispose]()
      await restarting
      await end(child)
    },
  }
}

/** Asks it and what it started to stop, and waits till it has. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  if (process.platform === 'win32') child.kill()
  else process.kill(-child.pid, 'SIGTERM')
  await gone
}
