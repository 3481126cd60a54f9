import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { abandonAfterMs } from '../model/idle-handler.ts'
import type { Log } from '../model/log.ts'
import type { Tending } from '../model/tending.ts'

export interface IdleHandlerWatchOptions {
  readonly tend: Tending
  readonly clock: Clock
  readonly log: Log
  /** Identifies this process among those that share the inbox. */
  readonly nodeId: string
}

/** If the process that counts does not call for this long, another one takes over. */
const dutyMs = 2 * 60_000
/** The first warning comes this long before a handler is abandoned, the next ones every twelve hours. */
const warnBeforeMs = 2 * 24 * 60 * 60_000
const warnEveryMs = 12 * 60 * 60_000
/** The most that one call adds: a process that was suspended delivered nothing meanwhile. */
const longestStepMs = 60_000

/**
 * Counts for how long each handler has not been run by any process, and ends the pending deliveries of handlers that were not run for 7 days.
 * One process does this for all. Only time during which a process delivers counts, in steps of the heartbeat, so neither an outage of all
 * processes nor a clock that jumps abandons a handler.
 */
export class IdleHandlerWatch {
  readonly #options: IdleHandlerWatchOptions
  #countedAt: number | undefined
  /** The idle time of a handler when its last warning was logged, in ms. */
  readonly #warnedAt = new Map<string, number>()
  readonly #abandoned = new Set<string>()

  constructor(options: IdleHandlerWatchOptions) {
    this.#options = options
  }

  /** Call with each heartbeat. Rejects with the engine's error. */
  async count(): Promise<void> {
    const { tend, clock, nodeId, log } = this.#options
    if (!(await tend.hold('idle', nodeId, dutyMs))) {
      this.#countedAt = undefined
      return
    }
    const now = clock.now()
    const ms = Math.min(now - (this.#countedAt ?? now), longestStepMs)
    this.#countedAt = now
    if (!(ms > 0)) return
    const handlers = await tend.countIdle(ms)
    for (const { handler, idleMs, abandoned } of handlers) this.#report(handler, idleMs, abandoned)
    if (!handlers.some(({ abandoned }) => abandoned)) return
    const deliveries = await this.#endDeliveries()
    if (deliveries > 0) {
      log.warn({ deliveries }, 'deliveries ended as abandoned: no process has run their handlers for 7 days')
    }
  }

  async #endDeliveries(): Promise<number> {
    let deliveries = 0
    for (;;) {
      const step = await this.#options.tend.abandon()
      deliveries += step.deliveries
      if (!step.more) return deliveries
      await nextTurn() // Lets receiving and delivering run between the steps.
    }
  }

  #report(handler: string, idleMs: number, abandoned: boolean): void {
    const { log } = this.#options
    if (abandoned) {
      if (this.#abandoned.has(handler)) return
      this.#abandoned.add(handler)
      log.warn(
        { handler },
        'a handler is abandoned: no process has run it for 7 days, so it gets no new deliveries until a process runs it again',
      )
      return
    }
    this.#abandoned.delete(handler)
    if (idleMs < abandonAfterMs - warnBeforeMs) {
      this.#warnedAt.delete(handler)
      return
    }
    if (idleMs - (this.#warnedAt.get(handler) ?? -Infinity) < warnEveryMs) return
    this.#warnedAt.set(handler, idleMs)
    log.warn(
      { handler, abandonedInMs: abandonAfterMs - idleMs },
      'no process runs this handler: unless a process runs it, it will be abandoned and its pending deliveries will end',
    )
  }
}
