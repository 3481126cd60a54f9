import type { Lease } from './lease.ts'
import type { Outcome } from './outcome.ts'
import type { EventKey } from './event-key.ts'

/** Functions that count what happens. They must return at once. Without an observer nothing is measured. */
export interface Observer {
  /** A request was answered. */
  answered?(answered: Answered, tookMs: number): void
  /** An attempt has ended. */
  attempted?(lease: Lease, end: AttemptEnd, tookMs: number): void
  /** A delivery was given up because its process ended during its attempts. */
  crashed?(handler: string, key: EventKey): void
  /** An append is on disk. */
  synced?(tookMs: number): void
}

/** Traces receiving and each attempt. Both functions return or throw what `run` does. */
export interface Tracer {
  /**
   * Runs what follows a request's authentication. `trace` is stored with the event and comes back with each of its leases, so that one
   * trace reaches from the request to attempts in other processes and after restarts.
   */
  receiving<A extends Answered>(request: Received, run: (trace: string | undefined) => Promise<A>): Promise<A>
  attempting(lease: Lease, run: () => Promise<AttemptEnd>): Promise<AttemptEnd>
}

export interface Answered {
  readonly status: number
  readonly outcome: string
  readonly reason?: string
  /** Present once the body was read. The type is the sender's, not checked against the catalogue. */
  readonly event?: { readonly type: string; readonly id: string }
}

/** A request that was authenticated. */
export interface Received {
  /** Epoch ms. */
  readonly receivedAt: number
  /** By lower-case name. */
  header(name: string): string | undefined
}

/** `settled`: an atomic handler's own commit has settled it. `lost`: another process holds the lease, and this end changes nothing. */
export type AttemptEnd = Outcome | 'settled' | 'lost'

/**
 * One observer that calls all of these and ignores what they throw: a measurement that fails must cost no request its answer, no append its
 * acknowledgement and no attempt its outcome.
 */
export function combineObservers(observers: readonly Observer[]): Observer | undefined {
  if (observers.length === 0) return undefined
  const each = (call: (observer: Observer) => void): void => {
    for (const observer of observers) {
      try {
        call(observer)
      } catch {
        // There is no other place to count it.
      }
    }
  }
  return {
    answered: (answered, tookMs) => each((one) => one.answered?.(answered, tookMs)),
    attempted: (lease, end, tookMs) => each((one) => one.attempted?.(lease, end, tookMs)),
    crashed: (handler, key) => each((one) => one.crashed?.(handler, key)),
    synced: (tookMs) => each((one) => one.synced?.(tookMs)),
  }
}
