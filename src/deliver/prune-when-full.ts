import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import { pause } from '../lib/pause.ts'
import type { Log } from '../model/log.ts'
import type { Retention } from '../model/retention.ts'
import type { Tending } from '../model/tending.ts'

export interface PruneWhenFullOptions {
  readonly tend: Tending
  readonly retention: Retention
  readonly clock: Clock
  readonly log: Log
}

/** The shortest time between two passes. */
const betweenPassesMs = 1_000
/** How often the log says that nothing could be pruned. */
const warnEveryMs = 10 * 60_000

/**
 * Prunes the oldest settled events when an append has found the inbox past the pressure limit of `maxBytes`, in small steps, until it is below
 * the limit. Every process may do this, not only the one that holds the prune duty: two at once share the work.
 */
export class PruneWhenFull {
  readonly #options: PruneWhenFullOptions
  readonly #stop = new AbortController()
  #pass: Promise<void> | undefined
  #nextPassAt = -Infinity
  #warnedAt = -Infinity

  constructor(options: PruneWhenFullOptions) {
    this.#options = options
  }

  /** Begins a pass: at once, or one second after the last one, by when more events may have been settled. */
  wake(): void {
    if (this.#stop.signal.aborted || this.#pass !== undefined) return
    this.#pass = this.#pause(this.#nextPassAt - this.#options.clock.now())
      .then(() => this.#prune())
      .finally(() => {
        this.#pass = undefined
      })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#pass
  }

  /** Never rejects: after an error the next append past the limit begins another pass. */
  async #prune(): Promise<void> {
    const { tend, retention, clock, log } = this.#options
    const beganAt = clock.now()
    let events = 0
    let after: string | undefined
    let pressed = true
    try {
      do {
        if (this.#stop.signal.aborted) return
        const stepAt = clock.now()
        const step = await tend.prune(retention, after)
        events += step.events
        after = step.next
        pressed = step.pressed === true
        // Pruning takes half of the time; the other half is left to receiving and delivering.
        if (after !== undefined && pressed) await this.#pause(clock.now() - stepAt)
      } while (after !== undefined && pressed)
    } catch (error) {
      log.warn(
        { error: describeError(error) },
        'the inbox is nearly full and could not be pruned; it is tried again',
      )
    }
    this.#nextPassAt = clock.now() + Math.max(betweenPassesMs, clock.now() - beganAt)
    if (events > 0)
      log.info({ events }, 'the inbox is nearly full: settled events were pruned before their time')
    else if (pressed && clock.now() - this.#warnedAt >= warnEveryMs) {
      this.#warnedAt = clock.now()
      log.warn(
        { maxBytes: retention.maxBytes },
        'the inbox is nearly full and holds no settled event that could be pruned; when it is full, events are answered 503',
      )
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await pause(this.#options.clock, ms, { signal: this.#stop.signal })
  }
}
