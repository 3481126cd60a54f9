import type { Clock } from '../lib/clock.ts'
import { pause } from '../lib/pause.ts'
import type { LongOptions } from './inbox.ts'

const longestPauseMs = 50

/** Runs `take` until a step has no next one. Returns the sum of what `count` says of each step. */
export async function runSteps<Step extends { readonly next?: string }>(
  clock: Clock,
  take: (after: string | undefined) => Promise<Step>,
  count: (step: Step) => number,
  { signal, onProgress, after }: LongOptions,
): Promise<number> {
  let next = after
  let done = 0
  do {
    signal?.throwIfAborted()
    const beganAt = clock.now()
    const step = await take(next)
    const stepDone = count(step)
    done += stepDone
    next = step.next
    onProgress?.({ done, ...(next !== undefined && { next }) })
    if (next !== undefined && stepDone > 0) await pauseAfterStep(clock, beganAt)
  } while (next !== undefined)
  return done
}

/** As long as the step took, at most 50 ms: half of the time is left to receiving and delivering. */
export async function pauseAfterStep(clock: Clock, beganAt: number): Promise<void> {
  const tookMs = clock.now() - beganAt
  if (tookMs > 0) await pause(clock, Math.min(tookMs, longestPauseMs))
}
