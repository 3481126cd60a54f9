import type { Lease } from '../model/lease.ts'

/**
 * How long suspects wait for the attempts under way to end, so that they run alone. The same as the default `timeoutMs` of a handler, so that
 * most attempts have ended by then.
 */
const longestWaitMs = 30_000

/**
 * Keeps suspects apart from other deliveries. A suspect is a delivery whose process ended during an attempt: it may have caused that, so it is
 * claimed when no other attempt runs, and nothing else is claimed while it runs.
 */
export class SuspectsAlone {
  /** Whether the next claim is for suspects. True at first: the engine knows whether there are any. */
  due = true
  #waitSince: number | undefined
  #held: ReadonlySet<Lease> = new Set()

  /** Whether a claim has to wait: suspects run, or are due while other attempts run. */
  blockClaims(held: readonly Lease[], now: number): boolean {
    if (this.#held.size > 0) {
      if (held.some((lease) => this.#held.has(lease))) return true
      this.#held = new Set()
    }
    if (!this.due || held.length === 0) return false
    this.#waitSince ??= now
    return now - this.#waitSince < longestWaitMs
  }

  /**
   * Call after each claim.
   *
   * @param suspects `Claimed.suspects`.
   * @param wereClaimed Whether the claim was for suspects.
   */
  claimed(leases: readonly Lease[], suspects: boolean, wereClaimed: boolean, requestedAt: number): void {
    this.due = suspects
    if (!suspects) this.#waitSince = undefined
    else if (wereClaimed) this.#held = new Set(leases)
    else this.#waitSince = requestedAt
  }
}
