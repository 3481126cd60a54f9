import type { Clock } from '../lib/clock.ts'

const rememberMs = 24 * 60 * 60_000

/** Keys seen in the last 24 hours, the newest 100,000 of them: what keeps a resend from counting twice where nothing is stored. */
export class Recent {
  readonly #clock: Clock
  readonly #limit: number
  readonly #seenAt = new Map<string, number>()

  constructor(clock: Clock, limit = 100_000) {
    this.#clock = clock
    this.#limit = limit
  }

  has(key: string): boolean {
    const seenAt = this.#seenAt.get(key)
    return seenAt !== undefined && this.#clock.now() - seenAt < rememberMs
  }

  add(key: string): void {
    this.#seenAt.delete(key)
    this.#seenAt.set(key, this.#clock.now())
    if (this.#seenAt.size <= this.#limit) return
    for (const oldest of this.#seenAt.keys()) {
      this.#seenAt.delete(oldest)
      return
    }
  }
}
