import type { Clock } from '../lib/clock.ts'

const largestBatch = 256
/** A full batch that ended within this time doubles the next; one that took longer than `slowMs` resets the size. */
const fastMs = 50
const slowMs = 200

/**
 * How many deliveries of one handler to lease at a time. Starts at the handler's concurrency, and doubles up to 256 while attempts are so
 * quick that a claim per attempt would cost more than the attempts. A slow handler leases nothing that another process could run.
 */
export class BatchSize {
  readonly #concurrency: number
  readonly #clock: Clock
  readonly #leasesAhead: boolean
  #batch: number
  #held = 0
  #claimedAt = 0
  #full = false

  /** @param leasesAhead Whether more may be leased than can begin at once. */
  constructor(concurrency: number, clock: Clock, leasesAhead: boolean) {
    this.#concurrency = concurrency
    this.#clock = clock
    this.#leasesAhead = leasesAhead
    this.#batch = concurrency
  }

  /** How many to lease now. */
  limit(): number {
    if (this.#batch === this.#concurrency) return this.#concurrency - this.#held
    return this.#held === 0 ? this.#batch : 0
  }

  /** How many attempts can begin at once. */
  freeSlots(): number {
    return Math.max(0, this.#concurrency - this.#held)
  }

  /** Call when a claim returned `count` leases of the `asked`. */
  claimed(count: number, asked: number): void {
    this.#held += count
    this.#full = count === asked
    this.#claimedAt = this.#clock.now()
  }

  /** Call when a lease is no longer held. */
  ended(): void {
    this.#held -= 1
    if (this.#held > 0) return
    const tookMs = this.#clock.now() - this.#claimedAt
    if (this.#leasesAhead && this.#full && tookMs < fastMs)
      this.#batch = Math.min(largestBatch, this.#batch * 2)
    else if (tookMs > slowMs) this.#batch = this.#concurrency
  }
}
