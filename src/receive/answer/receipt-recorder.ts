import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/describe-error.ts'
import type { Engine } from '../../model/engine.ts'
import type { Log } from '../../model/log.ts'
import type { Receipt } from '../../model/receipt.ts'
import { toColumnText } from '../keep/to-column-text.ts'
import type { Answer } from './answer.ts'

const flushAfterMs = 1_000
const waitingLimit = 500
/** Receipts of unauthenticated requests, in memory: one a second, the newest 200. */
const strangersEveryMs = 1_000
const strangersLimit = 200

/**
 * Records answers other than 200. Those to authenticated senders go into the inbox, once a second; those to everybody else stay in memory,
 * because a request without credentials must not cost a write.
 */
export class ReceiptRecorder {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #log: Log
  #waiting: Receipt[] = []
  #willFlush = false
  #strangers: readonly Receipt[] = []
  #strangersSeen = 0
  #sampledAt = -Infinity

  constructor(engine: Engine, clock: Clock, log: Log) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
  }

  /** @param answer Any but a 200. */
  record(answer: Answer, receivedAt: number): void {
    if (answer.outcome === 'unavailable') return // The inbox is down or full, so it cannot take the receipt either.
    if (answer.unauthenticated === true) return this.#recordStranger(answer, receivedAt)
    if (this.#waiting.length >= waitingLimit) return
    this.#waiting.push(receiptOf(answer, receivedAt, this.#clock.now()))
    if (this.#willFlush) return
    this.#willFlush = true
    this.#clock.after(flushAfterMs, () => void this.flush())
  }

  /** Writes what waits. Never rejects: receipts that cannot be written are dropped, and the log says how many. */
  async flush(): Promise<void> {
    this.#willFlush = false
    const receipts = this.#waiting
    this.#waiting = []
    try {
      if (receipts.length > 0) await this.#engine.tend?.record(receipts)
    } catch (error) {
      this.#log.warn(
        { error: describeError(error), leftOut: receipts.length },
        'receipts could not be written',
      )
    }
  }

  /** Requests of this process that were not authenticated: their number, and a sample, newest first. */
  strangers(): { readonly seen: number; readonly sample: readonly Receipt[] } {
    return { seen: this.#strangersSeen, sample: this.#strangers }
  }

  #recordStranger(answer: Answer, receivedAt: number): void {
    this.#strangersSeen += 1
    if (receivedAt - this.#sampledAt < strangersEveryMs) return
    this.#sampledAt = receivedAt
    const receipt = receiptOf(answer, receivedAt, this.#clock.now())
    this.#strangers = [receipt, ...this.#strangers].slice(0, strangersLimit)
  }
}

function receiptOf(
  { status, outcome, reason, receiptReason = reason, event }: Answer,
  at: number,
  now: number,
): Receipt {
  return {
    at: Math.round(at),
    tookMs: Math.round(now - at),
    status,
    outcome,
    ...(receiptReason !== undefined && { reason: receiptReason }),
    ...(event !== undefined && { type: toColumnText(event.type), id: toColumnText(event.id) }),
  }
}
