import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { newFile } from './inbox/file.ts'
import { signedLoad } from './inbox/load.ts'
import { type Benchmark, figure, ratio, type Subject } from './lib/benchmark.ts'
import { served } from './lib/served.ts'
import { flags } from './serve/flags.ts'

const load = signedLoad(32)
const program = (name: string) => new URL(`serve/${name}.ts`, import.meta.url)

export const benchmark: Benchmark = {
  title: 'fusewire serve: how soon it is ready, and how it receives beside the library alone',
  rounds: 9,
  ms: 2000,
  subjects: [
    ready('start'),
    { ...served('fusewire serve', program('command'), load), compared: true },
    { ...served('library', program('library'), load), compared: true },
  ],
  targets: [
    { name: 'ms from process start to ready', value: figure('ms to ready', 'start'), atMost: 500 },
    {
      name: 'fusewire serve / library',
      value: ratio('requests/s', 'fusewire serve', 'library'),
      atLeast: 0.95,
    },
  ],
}

/** From the start of the process, on a new inbox each time, until it says where it listens. */
function ready(name: string): Subject {
  return {
    name,
    open: ({ build }) => ({
      async measure() {
        const main = join(build.folder, 'dist', 'cli', 'main.js')
        const startedAt = performance.now()
        const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
        const child = spawn(process.execPath, [main, ...flags(newFile())], { stdio: [...stdio] })
        await once(child, 'message')
        const ms = performance.now() - startedAt
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
        return { 'ms to ready': ms }
      },
    }),
  }
}
