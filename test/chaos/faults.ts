import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { compileShim } from '../support/preload.ts'

/** The disk and the clock of the processes that run in `env`, from now on. Each setting changes at once, also for those that run. */
export interface FaultyMachine extends Disposable {
  readonly env: NodeJS.ProcessEnv
  /** How far the wall clock is ahead. */
  clock(aheadMs: number): void
  /** How much longer every sync takes. */
  slowSync(ms: number): void
  /** By how many bytes files may still grow; undefined: the disk is not full. */
  room(bytes: number | undefined): void
  /** Ends all of it. */
  heal(): void
}

/** @param prefix What the paths of the files begin with whose disk is faulty. */
export function faultyMachine(folder: string, prefix: string): FaultyMachine {
  const control = join(folder, 'control')
  const file = openSync(control, 'w')
  const set = (index: number, value: number) => {
    writeSync(file, Buffer.from(BigInt64Array.of(BigInt(Math.round(value))).buffer), 0, 8, index * 8) // As faults.c has it.
  }
  const heal = () => {
    set(0, 0)
    set(1, 0)
    set(2, -1)
  }
  heal()
  return {
    env: {
      LD_PRELOAD: compileShim(new URL('faults.c', import.meta.url), folder),
      FAULTS_CONTROL: control,
      FAULTS_PREFIX: prefix,
    },
    clock: (aheadMs) => set(0, aheadMs),
    slowSync: (ms) => set(1, ms),
    room: (bytes) => set(2, bytes ?? -1),
    heal,
    [Symbol.dispose]: () => closeSync(file),
  }
}
