import type { Clock } from '../lib/clock.ts'

const most = 256
/** A batch done within this may grow; one that took longer than `slowMs` shrinks back. */
const fastMs = 50
const slowMs = 200

/**
 * How many deliveries of one handler to lease at once: its concurrency, and batches of up to 256 while its attempts are so quick that
 * claiming one by one would cost more than running them. A slow handler hoards nothing that another process could run.
 */
export class Appetite {
  readonly #concurrency: number
  readonly #clock: Clock
  readonly #leasesAhead: boolean
  #batch: number
  #held = 0
  #servedAt = 0
  #full = false

  /** @param leasesAhead Whether more may be leased than begin at once. */
  constructor(concurrency: number, clock: Clock, leasesAhead: boolean) {
    this.#concurrency = concurrency
    this.#clock = clock
    this.#leasesAhead = leasesAhead
    this.#batch = concurrency
  }

  /** How many to ask for now. */
  limit(): number {
    if (this.#batch === this.#concurrency) return this.#concurrency - this.#held
    return this.#held === 0 ? this.#batch : 0
  }

  /** How many can begin at once. */
  free(): number {
    return Math.max(0, this.#concurrency - this.#held)
  }

  served(count: number, asked: number): void {
    this.#held += count
    this.#full = count === asked
    this.#servedAt = this.#clock.now()
  }

  ended(): void {
    this.#held -= 1
    if (this.#held > 0) return
    const tookMs = this.#clock.now() - this.#servedAt
    if (this.#leasesAhead && this.#full && tookMs < fastMs) this.#batch = Math.min(most, this.#batch * 2)
    else if (tookMs > slowMs) this.#batch = this.#concurrency
  }
}
