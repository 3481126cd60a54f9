import type { Clock } from '../lib/clock.ts'
import type { EventKey } from '../model/event.ts'

const rememberMs = 24 * 60 * 60_000

/**
 * Events seen in the last 24 hours, at most 100,000 and at least the newest half of that: what keeps a resend from counting twice where
 * nothing is stored. By their ids, with a number for the rest of the key: whole keys and times made the collector's work show in every
 * request. In two generations, of which the older goes as a whole: to find the oldest of a Map, V8 steps over those deleted before.
 */
export class Recent {
  readonly #clock: Clock
  readonly #generation: number
  #young = new Map<string, number>()
  #old = new Map<string, number>()
  #youngSince: number

  constructor(clock: Clock, limit = 100_000) {
    this.#clock = clock
    this.#generation = limit / 2
    this.#youngSince = clock.now()
  }

  /** Certainly for 24 hours, perhaps for 48. */
  has(key: EventKey): boolean {
    this.#age(Infinity)
    const seen = this.#young.get(key.id) ?? this.#old.get(key.id)
    return seen !== undefined && seen === restOf(key)
  }

  add(key: EventKey): void {
    this.#age(this.#generation)
    this.#young.set(key.id, restOf(key))
  }

  #age(limit: number): void {
    const now = this.#clock.now()
    const quietMs = now - this.#youngSince
    if (quietMs < rememberMs && this.#young.size < limit) return
    this.#old = quietMs < 2 * rememberMs ? this.#young : new Map()
    this.#young = new Map()
    this.#youngSince = now
  }
}

/** 32 bits of instant and tenant: FusionAuth gives no id twice, so they are hardly ever what tells two events apart. */
function restOf({ createInstant, tenantId }: EventKey): number {
  let rest = createInstant | 0
  for (let index = 0; index < tenantId.length; index++)
    rest = (Math.imul(rest, 31) + tenantId.charCodeAt(index)) | 0
  return rest
}
