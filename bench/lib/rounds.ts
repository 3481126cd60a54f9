import type { Benchmark, Figures, Opened, Pace, Round } from './benchmark.ts'

/** Opens all subjects, measures them in interleaved rounds and closes them, whatever happens. Round 0 only warms up. */
export async function runRounds(
  { subjects, together = 1 }: Benchmark,
  pace: Pace,
  progress: (done: number) => void,
): Promise<readonly Round[]> {
  await using opened = new AsyncDisposableStack()
  const running: { name: string; subject: Opened }[] = []
  for (const one of subjects) {
    const subject = await one.open(pace)
    opened.defer(() => subject.close?.())
    running.push({ name: one.name, subject })
  }

  const measured: Round[] = []
  for (let round = pace.quick ? 1 : 0; round <= pace.rounds; round++) {
    const figures = new Map<string, Figures>()
    for (const { name, subject } of inOrder(running, together, round)) {
      figures.set(name, await subject.measure())
    }
    if (round > 0) measured.push(figures)
    progress(round)
  }
  return measured
}

/** Each round begins with another group, and each group with another of its subjects: none always runs after the same one. */
function inOrder<T>(subjects: readonly T[], together: number, round: number): readonly T[] {
  const groups = Array.from({ length: Math.ceil(subjects.length / together) }, (_, group) =>
    rotated(subjects.slice(group * together, (group + 1) * together), round),
  )
  return rotated(groups, round).flat()
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const start = by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
