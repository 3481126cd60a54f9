import type { Clock } from './clock.ts'

/**
 * What `work` gives, or undefined when it takes longer than `ms` (Infinity: as long as it takes). It goes on by itself then, and what it
 * throws later concerns nobody.
 */
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
