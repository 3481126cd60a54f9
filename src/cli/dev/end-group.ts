import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

const lookMs = 50

/** Asks a process and its child processes to stop. Sends SIGKILL after `graceMs`, or as soon as `hurry` aborts. */
export async function endGroup(child: ChildProcess, graceMs: number, hurry: AbortSignal): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const exited = hasExited(child) ? undefined : once(child, 'exit')
  signalGroup(child, 'SIGTERM')
  const until = performance.now() + graceMs
  while (isAlive(child) && performance.now() < until && !hurry.aborted) await pause(lookMs)
  signalGroup(child, 'SIGKILL')
  await exited
}

/** Sends a signal to the process group that the child leads; on Windows to the child. Nothing happens when all have ended. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') child.kill(signal)
  else reachGroup(child, signal)
}

function isAlive(child: ChildProcess): boolean {
  return process.platform === 'win32' ? !hasExited(child) : reachGroup(child, 0)
}

function reachGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(-pid, signal)
  } catch {
    return false // There is no process left in it.
  }
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
