import type { Benchmark, Figures, Opened, Pace, Round } from './benchmark.ts'

/** Opens all subjects, measures them in interleaved rounds and closes them, whatever happens. Round 0 only warms up. */
export async function runRounds(
  { subjects }: Benchmark,
  rounds: number,
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
  for (let round = pace.quick ? 1 : 0; round <= rounds; round++) {
    const figures = new Map<string, Figures>()
    // Each round begins with another subject, so that none always runs in the same one's wake.
    const start = round % running.length
    for (const { name, subject } of [...running.slice(start), ...running.slice(0, start)]) {
      figures.set(name, await subject.measure())
    }
    if (round > 0) measured.push(figures)
    progress(round)
  }
  return measured
}
