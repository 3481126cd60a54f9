import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../scripts/bundle.ts'
import { type Benchmark, excess, type Subject } from './lib/benchmark.ts'
import { temporaryFolder } from './lib/temporary-folder.ts'

/** What an application pays at start: a node process that imports the built package and ends, beside one that imports nothing. */
export const benchmark: Benchmark = {
  title: 'Import fusewire in a fresh process',
  rounds: 60,
  ms: 0,
  subjects: [
    started('fusewire', async (folder) => {
      await bundle(join(folder, 'dist')) // As it is published, from the source as it is.
      return "import './dist/index.js'\n"
    }),
    started('node', async () => ''),
  ],
  targets: [{ name: 'ms over bare node', value: excess('ms', 'fusewire', 'node'), atMost: 10 }],
}

function started(name: string, programIn: (folder: string) => Promise<string>): Subject {
  return {
    name,
    async open() {
      const folder = temporaryFolder()
      const program = join(folder, 'main.js')
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      writeFileSync(program, await programIn(folder))
      return {
        measure() {
          const start = performance.now()
          const { status } = spawnSync(process.execPath, [program], { stdio: 'inherit' })
          const ms = performance.now() - start
          if (status !== 0) throw new Error(`${name}: the process ended with ${status}.`)
          return { ms }
        },
      }
    },
  }
}
