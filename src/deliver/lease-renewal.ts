import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Engine } from '../model/engine.ts'
import type { Log } from '../model/log.ts'
import type { Attempts } from './attempts.ts'

export interface LeaseRenewalOptions {
  readonly engine: Engine
  readonly attempts: Attempts
  readonly leaseMs: number
  readonly clock: Clock
  readonly log: Log
  /** Called after each renewal. */
  onRenewed(): void
}

/** Renews the leases of a worker every third of their time, and aborts attempts whose lease was lost. */
export class LeaseRenewal {
  readonly #options: LeaseRenewalOptions
  #renewing: Promise<void> | undefined

  constructor(options: LeaseRenewalOptions) {
    this.#options = options
  }

  /** Renews until disposed. */
  start(): Disposable {
    const { clock, leaseMs } = this.#options
    const renewLater = (): (() => void) =>
      clock.after(leaseMs / 3, () => {
        void this.renew()
        cancel = renewLater()
      })
    let cancel = renewLater()
    return { [Symbol.dispose]: () => cancel() }
  }

  /** Renews all leases now. Never rejects: leases that cannot be renewed expire. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renewOnce(): Promise<void> {
    const { engine, attempts, leaseMs, clock, log } = this.#options
    const held = attempts.held()
    if (held.length === 0) return
    const requestedAt = clock.now()
    try {
      const results = await engine.renew(held, leaseMs)
      const leasesWith = (result: (typeof results)[number]) =>
        held.filter((_, index) => results[index] === result)
      attempts.drop(leasesWith('lost'), 'another worker holds this delivery now')
      attempts.renewed(leasesWith('renewed'), requestedAt)
    } catch (error) {
      log.error({ error: describeError(error) }, 'leases could not be renewed')
    }
    this.#options.onRenewed()
  }
}
