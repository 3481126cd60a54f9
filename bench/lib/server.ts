import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Build, environmentOf } from './build.ts'
import type { Told, Usage } from './program.ts'

/** A server in a process of its own. */
export interface BenchServer {
  readonly port: number
  usage(): Promise<Usage>
  close(): Promise<void>
}

/** Starts a program that calls `listen`, and waits until it does. What it imports of the package comes from this build. */
export async function startServer(program: URL, args: readonly string[], build: Build): Promise<BenchServer> {
  const child = fork(program, args, {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: environmentOf(build),
  })
  try {
    const told = await hear(child)
    if (!('port' in told)) throw new Error(`${program.pathname} did not say where it listens.`)
    return {
      port: told.port,
      async usage() {
        child.send('usage')
        const usage = await hear(child)
        if ('port' in usage) throw new Error(`${program.pathname} listens twice.`)
        return usage
      },
      close: () => end(child),
    }
  } catch (error) {
    await end(child)
    throw error
  }
}

async function hear(child: ChildProcess): Promise<Told> {
  const over = new AbortController()
  const { signal } = over
  try {
    const [told] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A server ended with ${code} instead of serving: ${child.spawnargs.join(' ')}`)
      }),
    ])
    return told as Told // Our own programs speak it.
  } finally {
    over.abort()
  }
}

/** `listen` ends the process when we disconnect, so that it can clear up; what does not end in time is killed. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const late = setTimeout(() => child.kill('SIGKILL'), 2000)
  await exited
  clearTimeout(late)
}
