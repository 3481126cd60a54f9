import type { Crashed } from '../model/claimed.ts'
import type { Lease } from '../model/lease.ts'
import type { Log } from '../model/log.ts'
import type { Outcome } from '../model/outcome.ts'

export interface Counts {
  readonly succeeded: number
  readonly retrying: number
  readonly dead: number
}

/** Counts how attempts ended, and logs those that failed. */
export class OutcomeTally {
  readonly #log: Log
  readonly #counts = { succeeded: 0, retrying: 0, dead: 0 }

  constructor(log: Log) {
    this.#log = log
  }

  /** Counted so far. */
  counts(): Counts {
    return { ...this.#counts }
  }

  count(lease: Lease, outcome: Outcome | 'settled'): void {
    if (outcome === 'settled') {
      this.#counts.succeeded += 1
      return
    }
    switch (outcome.kind) {
      case 'succeeded':
      case 'skipped':
        this.#counts.succeeded += 1
        return
      case 'retry':
        this.#counts.retrying += 1
        return this.#log.warn(
          { ...fieldsOf(lease), error: outcome.failure.message, retryInMs: outcome.afterMs },
          'a handler failed',
        )
      case 'dead':
        this.#counts.dead += 1
        return this.#log.error(
          { ...fieldsOf(lease), error: outcome.failure?.message, reason: outcome.reason },
          'a delivery is dead',
        )
      case 'wait':
        return
    }
  }

  countCrashed({ handler, key, reason }: Crashed): void {
    this.#counts.dead += 1
    this.#log.error({ handler, id: key.id, reason }, crashMessages[reason])
  }
}

const crashMessages = {
  crashed: 'a delivery is dead: its process ended three times while it ran alone',
  interrupted: 'a delivery is dead: its process ended during the last attempt that maxAttempts allows',
} as const

function fieldsOf({ handler, attempt, event }: Lease): object {
  return { handler, attempt, type: event.type, id: event.key.id }
}
