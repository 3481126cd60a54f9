import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Engine, Settlement } from '../model/engine.ts'
import { FusewireError } from '../model/errors.ts'
import type { Lease } from '../model/lease.ts'
import type { Log } from '../model/log.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { outcomeOfError } from './outcome-of-error.ts'
import { settleBatch } from './settle-batch.ts'

export interface SettlerOptions {
  readonly engine: Engine
  readonly handlers: readonly RegisteredHandler[]
  readonly clock: Clock
  readonly log: Log
}

/** Gathers the outcomes of attempts and settles them in batches. */
export class Settler {
  readonly #options: SettlerOptions
  #pending: Settlement[] = []
  /** How often the inbox refused to settle a lease although it accepted other writes. */
  readonly #refusals = new WeakMap<Lease, number>()

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  add(settlement: Settlement): void {
    this.#pending.push(settlement)
  }

  /** Whether an outcome is not settled yet. */
  get isPending(): boolean {
    return this.#pending.length > 0
  }

  /** Settles nothing more of what is pending: those leases expire, and their deliveries are attempted again. */
  discard(): void {
    this.#pending = []
  }

  /** Settles all that is pending. Rejects when the inbox does not answer; what it did not settle stays pending. */
  async settle(): Promise<void> {
    const batch = this.#pending
    this.#pending = []
    if (batch.length === 0) return
    const { left, error } = await settleBatch(this.#options.engine, batch, (settlement, why) =>
      this.#replacementOf(settlement, why),
    )
    this.#pending = [...left, ...this.#pending]
    if (left.length > 0) throw error
  }

  /**
   * What to settle instead of an outcome that the inbox refuses to store: first the same once more, then a failed attempt, then a dead letter
   * without the handler's error text. When that is refused too, the lease expires.
   */
  #replacementOf(settlement: Settlement, error: unknown): Settlement | undefined {
    const { lease } = settlement
    const { handlers, clock, log } = this.#options
    const refusals = (this.#refusals.get(lease) ?? 0) + 1
    this.#refusals.set(lease, refusals)
    if (refusals === 1) return settlement
    const handler = handlers.find(({ name }) => name === lease.handler)
    const refused = new FusewireError(
      'FW_SETTLE',
      `The outcome of an attempt could not be stored: ${describeError(error)}`,
    )
    const fields = {
      handler: lease.handler,
      id: lease.event.key.id,
      code: refused.code,
      error: refused.message,
    }
    if (refusals === 2 && handler !== undefined) {
      const outcome = outcomeOfError(refused, lease, handler, clock)
      log.error({ ...fields, instead: outcome.kind }, 'an outcome could not be stored; another is stored')
      return { lease, outcome }
    }
    if (refusals <= 3) {
      log.error({ ...fields, instead: 'dead' }, 'an outcome could not be stored; the delivery is given up')
      return { lease, outcome: { kind: 'dead', reason: 'failed' } }
    }
    log.error(fields, 'no outcome of a delivery can be stored; its lease runs out')
    return undefined
  }
}
