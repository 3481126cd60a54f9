import { spawnSync } from 'node:child_process'
import { type Benchmark, figure, type Subject } from './lib/benchmark.ts'

/** A whole process that runs one line and ends. */
const processOf = (name: string, line: string): Subject => ({
  name,
  open: ({ quick }) => ({
    measure() {
      const times = Array.from({ length: quick ? 1 : 10 }, () => {
        const started = performance.now()
        const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', line])
        if (status !== 0) throw new Error(`${name} ended with ${status}; npm run build comes first`)
        return performance.now() - started
      })
      return { 'process ms': times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0 }
    },
  }),
})

const entry = new URL('../dist/index.js', import.meta.url).href

export const benchmark: Benchmark = {
  title: 'Import fusewire in a new process',
  rounds: 9,
  ms: 1000,
  subjects: [processOf('node alone', ''), processOf('import fusewire', `import ${JSON.stringify(entry)}`)],
  targets: [
    {
      name: 'import fusewire, ms over node alone',
      value: (round) =>
        figure('process ms', 'import fusewire')(round) - figure('process ms', 'node alone')(round),
      atMost: 10,
    },
  ],
}
