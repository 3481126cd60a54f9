import type { Clock } from '../lib/clock.ts'
import { type EventKey, sameKey } from '../model/event.ts'

const rememberMs = 24 * 60 * 60_000

/**
 * Events seen in the last 24 hours, at most 100,000 and at least the newest half of that: what keeps a resend from counting twice where
 * nothing is stored. By id, which is there to look up by; of events that share one, FusionAuth has none, the newest is remembered.
 */
export class Recent {
  readonly #clock: Clock
  readonly #generation: number
  // Two generations, of which the older goes as a whole: to find the oldest key of a Map, V8 steps over those deleted before, up to 100 µs.
  #young = new Map<string, Seen>()
  #old = new Map<string, Seen>()

  constructor(clock: Clock, limit = 100_000) {
    this.#clock = clock
    this.#generation = limit / 2
  }

  has(key: EventKey): boolean {
    const seen = this.#young.get(key.id) ?? this.#old.get(key.id)
    return seen !== undefined && sameKey(seen.key, key) && this.#clock.now() - seen.at < rememberMs
  }

  add(key: EventKey): void {
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key.id, { key, at: this.#clock.now() })
  }
}

interface Seen {
  readonly key: EventKey
  readonly at: number
}
