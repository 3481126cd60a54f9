import { type ChildProcess, spawn } from 'node:child_process'
import { endGroup, signalGroup } from './end-group.ts'
import { watchSources } from './watch-sources.ts'

/** A program that dev runs. */
export interface Program {
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** How long it may take to stop before it and what it started are killed. */
  readonly graceMs: number
  /** Called with the message the program sends when it is ready, after each start. Absent: the program gets no message channel. */
  ready?(said: unknown): void
}

export interface ReloadEvents {
  /** A source file of this name changed. */
  changed(file: string): void
  /** The program ended by itself. `starts` counts how often it was started. */
  ended(code: number | null, starts: number): void
}

/** Editors write a file several times in a row: changes within this time cause one restart. */
const settleMs = 100

/** A program that is started again when a source changes. */
export interface Reloaded {
  /** Stops the program and its child processes. Sends SIGKILL after `graceMs`, or as soon as `hurry` aborts. */
  stop(hurry: AbortSignal): Promise<void>
}

/** Runs a program, and starts it again when a source file below the folder changes, until it is stopped. */
export function reloaded(program: Program, folder: string, events: ReloadEvents): Reloaded {
  const [command, ...args] = program.command
  let starts = 0
  let stopping = false
  let restarting: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let child = start()
  const stopped = new AbortController()
  const killGroup = () => signalGroup(child, 'SIGKILL')
  process.once('exit', killGroup) // However this process ends.

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
    await endGroup(child, program.graceMs, stopped.signal)
    restarting = undefined
    if (!stopping) child = start()
  }

  return {
    async stop(hurry) {
      stopping = true
      clearTimeout(timer)
      watcher[Symbol.dispose]()
      if (hurry.aborted) stopped.abort()
      hurry.addEventListener('abort', () => stopped.abort(), { once: true })
      await restarting
      await endGroup(child, program.graceMs, stopped.signal)
      process.off('exit', killGroup)
    },
  }
}
