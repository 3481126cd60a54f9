import { type Benchmark, ratio, type Round, type Subject, type Target } from './benchmark.ts'
import type { Build } from './build.ts'
import { CannotCompare } from './builds.ts'

/** What a change may cost: 3 % more CPU time an event than the commit it is compared with. */
const mostCpu = 1.03
/** The median of fewer pairs moves by more than that on a machine with other work. */
const leastPairs = 30

/**
 * A benchmark of pairs: each subject that runs the package, with today's build and with a commit's. Other subjects are left out, and so are
 * the targets: `comparisons` makes those of the pairs.
 */
export function pairUp(benchmark: Benchmark, name: string, commit: Build): Benchmark {
  const compared = benchmark.subjects.filter((subject) => subject.compared)
  if (compared.length === 0) {
    throw new CannotCompare(
      `The benchmark ${name} cannot be compared with a commit: it does not run the built package.`,
    )
  }
  return {
    title: `${benchmark.title}; today beside ${commit.name}`,
    rounds: Math.max(benchmark.rounds, leastPairs),
    ms: benchmark.ms,
    subjects: compared.flatMap((subject) => [subject, withBuild(subject, commit)]),
    targets: [],
    together: 2,
  }
}

function withBuild(subject: Subject, commit: Build): Subject {
  const name = peerOf(subject.name, commit)
  return {
    name,
    async open(pace) {
      try {
        return await subject.open({ ...pace, build: commit })
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new CannotCompare(
          `'${subject.name}' does not run with the build of '${commit.name}': ${reason}`,
        )
      }
    },
  }
}

const peerOf = (name: string, commit: Build) => `${name}, ${commit.name}`

/** Of every pair: its CPU time as a target, its other figures to read. Each is the median of the ratios of the rounds. */
export function comparisons(
  { subjects }: Benchmark,
  commit: Build,
  round: Round | undefined,
): readonly Target[] {
  const names = subjects.map(({ name }) => name).filter((_, index) => index % 2 === 0)
  const all = names.flatMap((name) =>
    Object.keys(round?.get(name) ?? {})
      .filter((metric) => metric.startsWith('CPU') || round?.get(name)?.[metric] !== 0) // No ratio of nothing.
      .map((metric) => ({
        name: `${name}: ${metric}, today / ${commit.name}`,
        value: ratio(metric, name, peerOf(name, commit)),
        ...(metric.startsWith('CPU') ? { atMost: mostCpu } : {}),
      })),
  )
  return all.toSorted((a, b) => Number('atMost' in b) - Number('atMost' in a))
}
