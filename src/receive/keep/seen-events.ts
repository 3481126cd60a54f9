import type { Clock } from '../../lib/clock.ts'
import { type EventKey, keyText } from '../../model/event-key.ts'

const rememberMs = 24 * 60 * 60_000

/**
 * The keys of events of the last 24 hours, at most 100,000 and at least the newest 50,000: with `inbox: 'none'` they are what keeps a resend
 * from running handlers twice. Two choices keep it cheap:
 * - Entries are strings and small integers. 100,000 keys as objects made garbage collection visible in every request.
 * - Entries are dropped by generation, the older of two as a whole. To find the oldest entry of one Map, V8 walks over those deleted before.
 */
export class SeenEvents {
  readonly #clock: Clock
  readonly #generationLimit: number
  #young = new Map<string, number>()
  #old = new Map<string, number>()
  #youngSince: number

  constructor(clock: Clock, limit = 100_000) {
    this.#clock = clock
    this.#generationLimit = limit / 2
    this.#youngSince = clock.now()
  }

  /** True for at least 24 hours after `add`, and for at most 48, unless newer events displaced the key. */
  has(key: EventKey): boolean {
    this.#age(Infinity)
    const seen = this.#find(key.id)
    if (seen === undefined) return false
    return seen === discriminatorOf(key) || this.#find(keyText(key)) !== undefined
  }

  add(key: EventKey): void {
    this.#age(this.#generationLimit)
    const seen = this.#find(key.id)
    const isTaken = seen !== undefined && seen !== discriminatorOf(key)
    this.#young.set(isTaken ? keyText(key) : key.id, discriminatorOf(key))
  }

  #find(name: string): number | undefined {
    return this.#young.get(name) ?? this.#old.get(name)
  }

  #age(limit: number): void {
    const now = this.#clock.now()
    const ageMs = now - this.#youngSince
    if (ageMs < rememberMs && this.#young.size < limit) return
    this.#old = ageMs < 2 * rememberMs ? this.#young : new Map()
    this.#young = new Map()
    this.#youngSince = now
  }
}

/** 32 bits of instant and tenant: distinguishes events that share an id, which FusionAuth never gives twice. */
function discriminatorOf({ createInstant, tenantId }: EventKey): number {
  let hash = createInstant ^ (createInstant / 2 ** 32)
  for (let index = 0; index < tenantId.length; index++)
    hash = (Math.imul(hash, 31) + tenantId.charCodeAt(index)) | 0
  return hash
}
