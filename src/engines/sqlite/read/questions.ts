import type { Reads } from './reads.ts'

/** A call of Reads that can be sent to another thread. */
export type Question = { [Ask in keyof Reads]: readonly [Ask, ...Parameters<Reads[Ask]>] }[keyof Reads]

/** What a question is answered with; what is counted in steps is counted to its end. */
export type Reply<Ask extends keyof Reads> =
  ReturnType<Reads[Ask]> extends Generator<void, infer Counted> ? Counted : ReturnType<Reads[Ask]>

/** For a thread that has nothing else to do; `rest` between two steps lets others have the processor. */
export function answer(reads: Reads, [ask, ...args]: Question, rest: () => void): unknown {
  const given = call(reads, ask, args)
  if (!isCounting(given)) return given
  for (;;) {
    const { done, value } = given.next()
    if (done === true) return value
    rest()
  }
}

/** In steps: for a thread that has. */
export async function answerInSteps(
  reads: Reads,
  [ask, ...args]: Question,
  pause: () => Promise<unknown>,
): Promise<unknown> {
  const given = call(reads, ask, args)
  if (!isCounting(given)) return given
  for (;;) {
    const { done, value } = given.next()
    if (done === true) return value
    await pause()
  }
}

function call(reads: Reads, ask: keyof Reads, args: readonly unknown[]): unknown {
  const read = reads[ask] as (...args: readonly unknown[]) => unknown // A Question has the arguments of what it asks.
  return read(...args)
}

function isCounting(given: unknown): given is Generator<void, unknown> {
  return typeof given === 'object' && given !== null && Symbol.iterator in given && 'next' in given
}
