import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../model/engine.ts'
import type { Log } from '../model/log.ts'

const afterMs = 10_000

/** Events that are kept and delivered by nobody are as good as lost, and nobody would notice: so the log says it. */
export class Reminder {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #log: Log
  #cancel: (() => void) | undefined
  #attended = false

  constructor(engine: Engine, clock: Clock, log: Log) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
  }

  /** An event was kept: somebody should deliver within ten seconds. */
  kept(): void {
    if (this.#attended || this.#cancel !== undefined) return
    this.#cancel = this.#clock.after(afterMs, () => void this.#look())
  }

  /** Somebody delivers from this process, or nobody wants to know any more. */
  end(): void {
    this.#attended = true
    this.#cancel?.()
  }

  /** Another process may deliver what this one keeps. */
  async #look(): Promise<void> {
    this.#cancel = undefined
    const { handlers } = await this.#engine.stats().catch(() => ({ handlers: [] }))
    const before = this.#clock.now() - afterMs / 2
    const waiting = handlers.filter(({ oldestPendingAt = Infinity }) => oldestPendingAt < before)
    if (waiting.length === 0 || this.#attended) return
    this.#log.error(
      { code: 'FW_NOT_STARTED', handlers: waiting.map(({ handler }) => handler) },
      'events are kept but nobody delivers them: call webhook.start(), or webhook.drain() on a schedule',
    )
  }
}
