import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../model/engine.ts'
import type { Log } from '../model/log.ts'

const afterMs = 10_000

/** Logs an error when events are stored but no process delivers them: otherwise a forgotten `start()` would stay unnoticed. */
export class NotStartedWarning {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #log: Log
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(engine: Engine, clock: Clock, log: Log) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
  }

  /** Call when an event was stored: ten seconds later its delivery should have begun. */
  stored(): void {
    if (this.#stopped || this.#cancel !== undefined) return
    this.#cancel = this.#clock.after(afterMs, () => void this.#check())
  }

  /** Call when this process delivers, or stops. */
  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** Looks into the inbox, because another process may deliver the events that this one receives. */
  async #check(): Promise<void> {
    this.#cancel = undefined
    const { handlers } = await this.#engine.stats().catch(() => ({ handlers: [] }))
    const before = this.#clock.now() - afterMs / 2
    const waiting = handlers.filter(({ oldestPendingAt = Infinity }) => oldestPendingAt < before)
    if (waiting.length === 0 || this.#stopped) return
    this.#log.error(
      { code: 'FW_NOT_STARTED', handlers: waiting.map(({ handler }) => handler) },
      'events are stored but no process delivers them: call webhook.start(), or webhook.drain() on a schedule',
    )
  }
}
