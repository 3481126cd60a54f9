import { readdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Benchmark } from './lib/benchmark.ts'
import { report } from './lib/report.ts'
import { resultsOf } from './lib/results.ts'
import { runRounds } from './lib/rounds.ts'

const usage = `npm run bench -- NAME [--check] [--json FILE] [--quick]

  NAME         ${names().join(', ')}
  --check      ends with 1 when a target is missed
  --json FILE  writes every figure of every round
  --quick      a short run that shows that it works; its figures mean nothing
`

// Ended by a signal, a process skips what is to be done at its exit.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

process.exitCode = await main()

async function main(): Promise<number> {
  const command = commandLine()
  if (command === undefined) return 2
  const { name, check, json, quick } = command
  const { benchmark } = (await import(`./${name}.ts`)) as { benchmark: Benchmark } // What a file here exports.
  const rounds = quick ? 1 : benchmark.rounds
  const pace = { quick, ms: quick ? 20 : benchmark.ms }

  const measured = await runRounds(benchmark, rounds, pace, (done) => {
    if (process.stderr.isTTY)
      process.stderr.write(done < rounds ? `\r${done} of ${rounds} rounds` : '\r\x1b[K')
  })
  const results = resultsOf(benchmark, measured, quick)
  console.log(report(results))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ name, ...results }, undefined, 2)}\n`)
  return check && results.targets.some(({ holds }) => !holds) ? 1 : 0
}

/** What was asked for; undefined once it has said what is wrong with it. */
function commandLine(): { name: string; check: boolean; json?: string; quick: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        check: { type: 'boolean', default: false },
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new Error('Name one benchmark.')
    if (!names().includes(name))
      throw new Error(`There is no benchmark ${name}: choose ${names().join(', ')}.`)
    return { name, ...values }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return undefined
  }
}

/** Every file beside this one is a benchmark. */
function names(): readonly string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
    .map((file) => file.slice(0, -'.ts'.length))
}
