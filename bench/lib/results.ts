import type { Benchmark, Round, Target } from './benchmark.ts'
import { type Spread, spreadOf } from './spread.ts'

/** What a run found: printed by `report`, written by `--json`. */
export interface Results {
  readonly title: string
  readonly quick: boolean
  readonly node: string
  readonly rounds: number
  readonly subjects: readonly SubjectResult[]
  readonly targets: readonly TargetResult[]
}

export interface SubjectResult {
  readonly name: string
  readonly figures: Readonly<Record<string, Spread & { readonly each: readonly number[] }>>
}

export interface TargetResult extends Spread {
  readonly name: string
  readonly atLeast?: number
  readonly atMost?: number
  readonly holds: boolean
}

export function resultsOf(benchmark: Benchmark, rounds: readonly Round[], quick: boolean): Results {
  return {
    title: benchmark.title,
    quick,
    node: process.version,
    rounds: rounds.length,
    subjects: benchmark.subjects.map(({ name }) => ({ name, figures: figuresOf(name, rounds) })),
    targets: benchmark.targets.map((target) => judge(target, rounds)),
  }
}

function figuresOf(subject: string, rounds: readonly Round[]): SubjectResult['figures'] {
  const metrics = Object.keys(rounds[0]?.get(subject) ?? {})
  return Object.fromEntries(
    metrics.map((metric) => {
      const each = rounds.map((round) => round.get(subject)?.[metric] ?? NaN)
      return [metric, { ...spreadOf(each), each }]
    }),
  )
}

/** By the median of each round's value: what slows the machine for a while slows both sides of a ratio. */
function judge({ name, value, atLeast, atMost }: Target, rounds: readonly Round[]): TargetResult {
  const spread = spreadOf(rounds.map(value))
  if (atLeast !== undefined) return { name, ...spread, atLeast, holds: spread.median >= atLeast }
  if (atMost !== undefined) return { name, ...spread, atMost, holds: spread.median <= atMost }
  return { name, ...spread, holds: true }
}
