import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Benchmark, excess, type Subject } from './lib/benchmark.ts'
import type { Build } from './lib/build.ts'
import { temporaryFolder } from './lib/temporary-folder.ts'

/** What an application pays at start: a node process that imports the built package and ends, beside one that imports nothing. */
export const benchmark: Benchmark = {
  title: 'Import fusewire in a fresh process',
  rounds: 60,
  ms: 0,
  subjects: [
    {
      ...started('fusewire', ({ folder }) => {
        const file = pathToFileURL(join(folder, 'dist', 'index.js')).href
        return `await import('${file}')\n`
      }),
      compared: true,
    },
    started('node', () => ''),
  ],
  targets: [{ name: 'ms over bare node', value: excess('ms', 'fusewire', 'node'), atMost: 10 }],
}

function started(name: string, programFor: (build: Build) => string): Subject {
  return {
    name,
    open({ build }) {
      const folder = temporaryFolder()
      const program = join(folder, 'main.js')
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      writeFileSync(program, `${programFor(build)}console.log(JSON.stringify(process.cpuUsage()))\n`)
      return {
        measure() {
          const start = performance.now()
          const stdio = ['ignore', 'pipe', 'inherit'] as const
          const { status, stdout } = spawnSync(process.execPath, [program], {
            stdio: [...stdio],
            encoding: 'utf8',
          })
          const ms = performance.now() - start
          if (status !== 0) throw new Error(`${name}: the process ended with ${status}.`)
          const { user, system } = JSON.parse(stdout) as NodeJS.CpuUsage // As the program prints it.
          return { ms, 'CPU ms': (user + system) / 1000 }
        },
      }
    },
  }
}
