import { describe, expect, test } from 'vitest'
import { type Benchmark, excess, figure, ratio, type Subject } from '../../bench/lib/benchmark.ts'
import { fill, template } from '../../bench/lib/load.ts'
import { report } from '../../bench/lib/report.ts'
import { resultsOf } from '../../bench/lib/results.ts'
import { runRounds } from '../../bench/lib/rounds.ts'

const pace = (rounds: number) => ({
  quick: false,
  ms: 1,
  rounds,
  build: { name: 'today', folder: '/nowhere' },
})

function counted(name: string, values: readonly number[], told: string[]): Subject {
  return {
    name,
    open() {
      told.push(`open ${name}`)
      let round = 0
      return {
        measure: () => {
          told.push(name)
          return { ms: values[round++] ?? NaN }
        },
        close: () => void told.push(`close ${name}`),
      }
    },
  }
}

const benchmark = (subjects: readonly Subject[], targets: Benchmark['targets'] = []): Benchmark => ({
  title: 'Two things',
  rounds: 3,
  ms: 1,
  subjects,
  targets,
})

describe('rounds', () => {
  test('interleave the subjects, each round beginning with another, and close what was opened', async () => {
    const told: string[] = []
    const two = benchmark([counted('a', [], told), counted('b', [], told)])
    await runRounds(two, pace(2), () => {})
    expect(told.join(' ')).toBe('open a open b a b b a a b close b close a')
  })

  test('keep pairs together, each round beginning with another pair and another half of it', async () => {
    const told: string[] = []
    const pairs = benchmark(['a', 'A', 'b', 'B'].map((name) => counted(name, [], told)))
    await runRounds({ ...pairs, together: 2 }, pace(2), () => {})
    const measured = told.filter((said) => said.length === 1)
    expect(measured.join(' ')).toBe('a A b B B b A a a A b B')
  })

  test('close what was opened when a subject fails', async () => {
    const told: string[] = []
    const failing: Subject = {
      name: 'failing',
      open: () => {
        throw new Error('no')
      },
    }
    await expect(runRounds(benchmark([counted('a', [], told), failing]), pace(2), () => {})).rejects.toThrow(
      'no',
    )
    expect(told).toEqual(['open a', 'close a'])
  })
})

describe('results', () => {
  const results = async (targets: Benchmark['targets']) => {
    // The first of each is the warm-up.
    const two = benchmark([counted('a', [99, 10, 30, 20], []), counted('b', [1, 5, 10, 40], [])], targets)
    return resultsOf(two, await runRounds(two, pace(3), () => {}), false)
  }

  test('are medians, and targets the median of each round’s own value', async () => {
    const { subjects, targets } = await results([
      { name: 'part', value: ratio('ms', 'a', 'b'), atLeast: 2 },
      { name: 'more', value: excess('ms', 'a', 'b'), atMost: 4 },
      { name: 'plain', value: figure('ms', 'a'), atMost: 20 },
    ])
    expect(subjects.map(({ figures }) => figures['ms']?.median)).toEqual([20, 10])
    expect(targets.map(({ median, holds }) => [median, holds])).toEqual([
      [2, true],
      [5, false],
      [20, true],
    ])
  })

  test('are printed with the targets they meet and miss', async () => {
    const text = report(
      await results([
        { name: 'part', value: ratio('ms', 'a', 'b'), atLeast: 2 },
        { name: 'more', value: excess('ms', 'a', 'b'), atMost: 4 },
      ]),
    )
    expect(text).toContain('✓ part: 2 (')
    expect(text).toContain('✗ more: 5 (')
  })

  test('a target that names no figure says so', async () => {
    await expect(results([{ name: 'part', value: figure('s', 'a'), atLeast: 1 }])).rejects.toThrow(
      "no figure 's'",
    )
  })
})

test('a row fills the places of a request', () => {
  expect(fill(template('a <2> b <1>'), ['one', 'two'])).toBe('a two b one')
})
