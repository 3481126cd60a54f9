import { readdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Benchmark } from './lib/benchmark.ts'
import { buildCommit, buildToday, CannotCompare } from './lib/builds.ts'
import { comparisons, pairUp } from './lib/compare.ts'
import { report } from './lib/report.ts'
import { resultsOf } from './lib/results.ts'
import { runRounds } from './lib/rounds.ts'
import { installExtra } from '../scripts/install-extra.ts'

const usage = `npm run bench -- NAME [--against REV] [--rounds N] [--check] [--json FILE] [--quick]

  NAME           ${names().join(', ')}
  --against REV  builds this commit and measures it beside the working tree, in pairs
  --rounds N     how often every subject is measured
  --check        ends with 1 when a target is missed
  --json FILE    writes every figure of every round
  --quick        a short run that shows that it works; its figures mean nothing
`

// Ended by a signal, a process skips what is to be done at its exit.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

process.exitCode = await main()

async function main(): Promise<number> {
  const command = commandLine()
  if (command === undefined) return 2
  try {
    return await run(command)
  } catch (error) {
    if (!(error instanceof CannotCompare)) throw error
    console.error(error.message)
    return 2
  }
}

async function run({ name, against, rounds: wanted, check, json, quick }: Command): Promise<number> {
  for (const folder of ['bench', 'test/postgres']) installExtra(folder)
  const { benchmark } = (await import(`./${name}.ts`)) as { benchmark: Benchmark } // What a file here exports.
  const commit = against === undefined ? undefined : buildCommit(against, progressing)
  const measuring = commit === undefined ? benchmark : pairUp(benchmark, name, commit)
  const rounds = wanted ?? (quick ? 1 : measuring.rounds)
  const pace = { quick, ms: quick ? 20 : measuring.ms, rounds, build: await buildToday() }

  const measured = await runRounds(measuring, pace, (done) =>
    progressing(done < rounds ? `${done} of ${rounds} rounds` : ''),
  )
  const targets = commit === undefined ? measuring.targets : comparisons(measuring, commit, measured[0])
  const results = resultsOf({ ...measuring, targets }, measured, quick)
  console.log(report(results))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ name, ...results }, undefined, 2)}\n`)
  return check && results.targets.some(({ holds }) => !holds) ? 1 : 0
}

function progressing(doing: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${doing}`)
}

interface Command {
  readonly name: string
  readonly against: string | undefined
  readonly rounds: number | undefined
  readonly check: boolean
  readonly json: string | undefined
  readonly quick: boolean
}

/** What was asked for; undefined once it has said what is wrong with it. */
function commandLine(): Command | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        against: { type: 'string' },
        rounds: { type: 'string' },
        check: { type: 'boolean', default: false },
        json: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new Error('Name one benchmark.')
    if (!names().includes(name))
      throw new Error(`There is no benchmark ${name}: choose ${names().join(', ')}.`)
    const { against, check, json, quick } = values
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
      throw new Error(`--rounds is a whole number above 0, not '${values.rounds}'.`)
    return { name, against, rounds, check, json, quick }
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
