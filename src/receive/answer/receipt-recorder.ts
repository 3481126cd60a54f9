import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/describe-error.ts'
import type { Engine } from '../../model/engine.ts'
import type { Log } from '../../model/log.ts'
import type { Receipt } from '../../model/receipt.ts'
import type { Answer } from './answer.ts'
import { toColumnText } from '../keep/to-arrival.ts'

const flushAfterMs = 1_000
const waitingLimit = 500
const strangersLimit = 200

/**
 * Remembers what requests were answered that left no event: in the inbox, once a second, of those who may speak; of everybody else only in
 * memory, one a second, because what anybody can provoke must not cost a write.
 */
export class ReceiptRecorder {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #log: Log
  #waiting: Receipt[] = []
  #flushing = false
  #strangers: readonly Receipt[] = []
  #seen = 0
  #sampledAt = -Infinity

  constructor(engine: Engine, clock: Clock, log: Log) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
  }

  /** Anything but a 200. */
  record(answer: Answer, receivedAt: number): void {
    if (answer.outcome === 'unavailable') return // The inbox could not take this either.
    if (answer.stranger === true) return this.#noteStranger(answer, receivedAt)
    if (this.#waiting.length >= waitingLimit) return
    this.#waiting.push(receiptOf(answer, receivedAt, this.#clock.now()))
    if (this.#flushing) return
    this.#flushing = true
    this.#clock.after(flushAfterMs, () => void this.flush())
  }

  /** Never rejects: what cannot be written is left out. */
  async flush(): Promise<void> {
    this.#flushing = false
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

  /** Requests of this process that did not get past authentication: how many, and some of them, newest first. */
  strangers(): { readonly seen: number; readonly sample: readonly Receipt[] } {
    return { seen: this.#seen, sample: this.#strangers }
  }

  #noteStranger(answer: Answer, receivedAt: number): void {
    this.#seen += 1
    if (receivedAt - this.#sampledAt < 1_000) return
    this.#sampledAt = receivedAt
    const receipt = receiptOf(answer, receivedAt, this.#clock.now())
    this.#strangers = [receipt, ...this.#strangers].slice(0, strangersLimit)
  }
}

function receiptOf(
  { status, outcome, reason, inOurWords = reason, event }: Answer,
  at: number,
  now: number,
): Receipt {
  return {
    at: Math.round(at),
    tookMs: Math.round(now - at),
    status,
    outcome,
    ...(inOurWords !== undefined && { reason: inOurWords }),
    ...(event !== undefined && { type: toColumnText(event.type), id: toColumnText(event.id) }),
  }
}
