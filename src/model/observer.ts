import type { Lease } from './lease.ts'
import type { Outcome } from './outcome.ts'
import type { EventKey } from './event-key.ts'

/** Is told what happened, to count it. It must neither throw nor hold anything up. Where nobody observes, nothing is measured. */
export interface Observer {
  /** A request has its answer. */
  answered?(answered: Answered, tookMs: number): void
  /** An attempt has ended. */
  attempted?(lease: Lease, end: AttemptEnd, tookMs: number): void
  /** A delivery was given up because its process ended during its attempts. */
  crashed?(handler: string, key: EventKey): void
  /** An append was on disk after so long. */
  synced?(tookMs: number): void
}

/** Runs the two pieces of work that a trace is made of. What `run` gives or throws is what comes of it. */
export interface Tracer {
  /**
   * What follows a request's authentication. `trace` is kept with the event and comes back with each of its leases: so one trace reaches
   * from the request to attempts in other processes and after restarts.
   */
  receiving<A extends Answered>(request: Received, run: (trace: string | undefined) => Promise<A>): Promise<A>
  attempting(lease: Lease, run: () => Promise<AttemptEnd>): Promise<AttemptEnd>
}

export interface Answered {
  readonly status: number
  readonly outcome: string
  readonly reason?: string
  /** The event, once it was known. Its type is whatever its sender said. */
  readonly event?: { readonly type: string; readonly id: string }
}

/** A request that was authenticated. */
export interface Received {
  /** Epoch ms. */
  readonly receivedAt: number
  /** By lower-case name. */
  header(name: string): string | undefined
}

/** `settled`: an atomic handler's own commit has settled it. `lost`: somebody else holds the delivery, and this end changes nothing. */
export type AttemptEnd = Outcome | 'settled' | 'lost'

/** All of them as one. */
export function combineObservers(observers: readonly Observer[]): Observer | undefined {
  if (observers.length < 2) return observers[0]
  return {
    answered: (answered, tookMs) => observers.forEach((one) => one.answered?.(answered, tookMs)),
    attempted: (lease, end, tookMs) => observers.forEach((one) => one.attempted?.(lease, end, tookMs)),
    crashed: (handler, key) => observers.forEach((one) => one.crashed?.(handler, key)),
    synced: (tookMs) => observers.forEach((one) => one.synced?.(tookMs)),
  }
}
