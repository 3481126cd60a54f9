import type { Clock } from './clock.ts'

/** The result of `work`, or undefined after `ms` (Infinity: no limit). The work continues then, and its later rejection is ignored. */
export async function atMost<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  if (ms === Infinity) return work
  const { promise: over, resolve: end } = Promise.withResolvers<undefined>()
  const cancel = clock.after(Math.max(0, ms), () => end(undefined))
  try {
    return await Promise.race([work, over])
  } finally {
    cancel()
  }
}
