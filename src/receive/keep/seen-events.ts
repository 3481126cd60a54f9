import type { Clock } from '../../lib/clock.ts'
import { type EventKey, keyText } from '../../model/event-key.ts'

const rememberMs = 24 * 60 * 60_000

/**
 * Events seen in the last 24 hours, at most 100,000 and at least the newest half of that: what keeps a resend from counting twice where
 * nothing is stored. Ids and small integers only: 100,000 keys as objects made garbage collection visible in every request. In two generations, of which the older goes as a whole: to find the oldest of a Map, V8 steps over those deleted before.
 */
export class SeenEvents {
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
    const seen = this.#find(key.id)
    if (seen === undefined) return false
    return seen === hashOfRest(key) || this.#find(keyText(key)) !== undefined
  }

  add(key: EventKey): void {
    this.#age(this.#generation)
    const seen = this.#find(key.id)
    const isTaken = seen !== undefined && seen !== hashOfRest(key)
    this.#young.set(isTaken ? keyText(key) : key.id, hashOfRest(key))
  }

  #find(name: string): number | undefined {
    return this.#young.get(name) ?? this.#old.get(name)
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

/** Of instant and tenant, 32 bits: what tells events of one id apart, though FusionAuth gives no id twice. */
function hashOfRest({ createInstant, tenantId }: EventKey): number {
  let hash = createInstant ^ (createInstant / 2 ** 32)
  for (let index = 0; index < tenantId.length; index++)
    hash = (Math.imul(hash, 31) + tenantId.charCodeAt(index)) | 0
  return hash
}
