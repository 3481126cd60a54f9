import type { Build } from './build.ts'

/** What `npm run bench -- NAME` runs: bench/NAME.ts exports one as `benchmark`. */
export interface Benchmark {
  readonly title: string
  /** How often every subject is measured. One more round comes first and is not counted. */
  readonly rounds: number
  /** How long one measurement takes. */
  readonly ms: number
  readonly subjects: readonly Subject[]
  readonly targets: readonly Target[]
  /** So many subjects are measured one right after the other. Default: 1. */
  readonly together?: number
}

/** One of the things that are measured side by side. */
export interface Subject {
  readonly name: string
  /** `--against` measures it with today's build and with a commit's: it runs `pace.build`, and one figure begins with `CPU`. Default: false. */
  readonly compared?: boolean
  /** Called once, before the first round. */
  open(pace: Pace): Opened | Promise<Opened>
}

export interface Opened {
  /** Called once a round, never while another subject is measured. */
  measure(): Figures | Promise<Figures>
  /** Called at the end, whatever happened. */
  close?(): void | Promise<void>
}

/** How much may be done, and with which build of the package. */
export interface Pace {
  /** A quick run only shows that everything works. */
  readonly quick: boolean
  /** How long one measurement takes. */
  readonly ms: number
  /** How often each subject is measured. */
  readonly rounds: number
  readonly build: Build
}

/** What was measured, by name and unit: `{ 'requests/s': 21480, 'p99 ms': 2.1 }`. Subjects with the same names share a table. */
export type Figures = Readonly<Record<string, number>>

/** The figures of one round, by subject. */
export type Round = ReadonlyMap<string, Figures>

/** What must hold of the median over all rounds; without `atLeast` and `atMost` it is only printed. */
export type Target = {
  readonly name: string
  readonly value: (round: Round, n: number, rounds: readonly Round[]) => number
} & (
  | { readonly atLeast: number; readonly atMost?: never }
  | { readonly atMost: number; readonly atLeast?: never }
  | { readonly atMost?: never; readonly atLeast?: never }
)

/** A target's value: what a subject measured. */
export const figure = (metric: string, subject: string) => (round: Round) => {
  const value = round.get(subject)?.[metric]
  if (value === undefined) throw new Error(`There is no figure '${metric}' of a subject '${subject}'.`)
  return value
}

/** A target's value: what a subject measured as a part of what a peer measured beside it, in the same round. */
export const ratio = (metric: string, subject: string, peer: string) => (round: Round) =>
  figure(metric, subject)(round) / figure(metric, peer)(round)

/** A target's value: by how much a subject's figure is above a peer's. */
export const excess = (metric: string, subject: string, peer: string) => (round: Round) =>
  figure(metric, subject)(round) - figure(metric, peer)(round)

/** A target's value: what a subject measured in the last round as a part of what it measured in the round before. */
export const growth =
  (metric: string, subject: string) => (_: Round, __: number, rounds: readonly Round[]) => {
    const of = figure(metric, subject)
    const [before, last] = rounds.slice(-2)
    return before === undefined || last === undefined ? 1 : of(last) / of(before)
  }
