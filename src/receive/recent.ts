import type { Clock } from '../lib/clock.ts'

const rememberMs = 24 * 60 * 60_000

/**
 * Keys seen in the last 24 hours, at most 100,000 and at least the newest half of that: what keeps a resend from counting twice where
 * nothing is stored.
 */
export class Recent {
  readonly #clock: Clock
  readonly #generation: number
  // Two generations, of which the older goes as a whole: to find the oldest key of a Map, V8 steps over those deleted before, up to 100 µs.
  #young = new Map<string, number>()
  #old = new Map<string, number>()

  constructor(clock: Clock, limit = 100_000) {
    this.#clock = clock
    this.#generation = limit / 2
  }

  has(key: string): boolean {
    const seenAt = this.#young.get(key) ?? this.#old.get(key)
    return seenAt !== undefined && this.#clock.now() - seenAt < rememberMs
  }

  add(key: string): void {
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, this.#clock.now())
  }
}
