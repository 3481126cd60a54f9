import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Benchmark, excess, type Subject } from './lib/benchmark.ts'
import { temporaryFolder } from './lib/temporary-folder.ts'

/** What an application pays at start: a node process that imports the built package and ends, beside one that imports nothing. */
export const benchmark: Benchmark = {
  title: 'Import fusewire in a fresh process',
  rounds: 60,
  ms: 0,
  subjects: [
    started('fusewire', (folder) => {
      build(join(folder, 'dist'))
      return "import './dist/index.js'\n"
    }),
    started('node', () => ''),
  ],
  targets: [{ name: 'ms over bare node', value: excess('ms', 'fusewire', 'node'), atMost: 10 }],
}

function started(name: string, programIn: (folder: string) => string): Subject {
  return {
    name,
    open() {
      const folder = temporaryFolder()
      const program = join(folder, 'main.js')
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      writeFileSync(program, programIn(folder))
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

/** As it is published, from the source as it is, so that no older build is measured. */
function build(folder: string): void {
  const root = join(import.meta.dirname, '..')
  const bundler = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs')
  const options = ['--config', 'rolldown.config.ts', '--dir', folder, '--log-level', 'silent']
  execFileSync(process.execPath, [bundler, ...options], { cwd: root, stdio: 'ignore' })
}
