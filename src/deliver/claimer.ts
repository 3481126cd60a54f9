import type { Clock } from '../lib/clock.ts'
import type { Crashed } from '../model/claimed.ts'
import type { Engine } from '../model/engine.ts'
import type { Log } from '../model/log.ts'
import type { Observer } from '../model/observer.ts'
import type { Attempts } from './attempts.ts'
import type { OutcomeTally } from './outcome-tally.ts'
import { SuspectsAlone } from './suspects-alone.ts'

export interface ClaimerOptions {
  readonly engine: Engine
  readonly attempts: Attempts
  readonly tally: OutcomeTally
  readonly leaseMs: number
  /** A claim is repeated after this time even if the engine wakes nobody. */
  readonly pollMs: number
  readonly observer?: Observer | undefined
  readonly clock: Clock
  readonly log: Log
  /** Whether the worker has stopped: then nothing is claimed, and the leases of a claim under way are released. */
  isStopped(): boolean
}

/** Claims due deliveries for the free slots of each handler, and begins their attempts. */
export class Claimer {
  readonly #options: ClaimerOptions
  readonly #suspects = new SuspectsAlone()
  /** Whether a claim may return something. */
  due = false

  constructor(options: ClaimerOptions) {
    this.#options = options
  }

  /** Whether the next claim is for suspects. */
  get suspectsDue(): boolean {
    return this.#suspects.due
  }

  /** False while suspects run or wait to run alone, while a lease may have been lost, and when nothing is due or no slot is free. */
  mayClaim(): boolean {
    const { attempts, clock } = this.#options
    if (this.#options.isStopped() || !this.due) return false
    if (this.#suspects.blockClaims(attempts.held(), clock.now())) return false
    if (attempts.areStale()) return false
    return this.#wants().length > 0
  }

  /** Claims, if that is possible now. Returns after how many ms another delivery can fall due. */
  async claim(): Promise<number> {
    const { engine, attempts, clock, leaseMs, pollMs } = this.#options
    if (!attempts.hasHandlers) this.due = false // Nothing can fall due, so a drain ends.
    if (!this.mayClaim()) return pollMs
    const forSuspects = this.#suspects.due
    const wants = this.#wants()
    const requestedAt = clock.now()
    this.due = false
    const claimed = await engine.claim(wants, leaseMs, forSuspects ? attempts.held().length : 'none')
    const { leases, crashed, gone = [], suspects = false, nextInMs = pollMs } = claimed
    this.#suspects.claimed(leases, suspects, forSuspects, requestedAt)
    for (const one of crashed) this.#reportCrashed(one)
    for (const { handler, position } of gone) {
      this.#options.log.warn(
        { handler, position },
        'a delivery ended without an attempt: the body of its event is no longer in the inbox',
      )
    }
    if (this.#options.isStopped()) await engine.release(leases)
    else if (attempts.take(leases, wants, requestedAt) || nextInMs === 0) this.due = true
    return Math.min(pollMs, nextInMs)
  }

  #wants() {
    const { attempts } = this.#options
    return this.#suspects.due ? attempts.wantsOfSuspects() : attempts.wants()
  }

  #reportCrashed(crashed: Crashed): void {
    this.#options.tally.countCrashed(crashed)
    this.#options.observer?.crashed?.(crashed.handler, crashed.key)
  }
}
