import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Log } from '../model/log.ts'
import type { Retention } from '../model/retention.ts'
import type { Tending } from '../model/tending.ts'

export interface RelieveOptions {
  readonly tend: Tending
  readonly retention: Retention
  readonly clock: Clock
  readonly log: Log
}

/** How long after one pass the next may begin, at least. */
const restMs = 1_000
/** How often a warning is logged that nothing could be pruned. */
const warnEveryMs = 10 * 60_000

/**
 * Prunes the oldest settled events of an inbox that is past the pressure limit of `maxBytes`, as soon as an append met that, in small steps,
 * until it is below the limit. Every process may do this, not only the one that holds the prune duty: two at once only share the work.
 */
export class Relief {
  readonly #options: RelieveOptions
  #pass: Promise<void> | undefined
  #cancel = (): void => {}
  #stopped = false
  #restUntil = -Infinity
  #warnedAt = -Infinity

  constructor(options: RelieveOptions) {
    this.#options = options
  }

  /** Begins a pass, or one second after the last one: by then more may have been settled. */
  wake(): void {
    if (this.#stopped || this.#pass !== undefined) return
    const { clock } = this.#options
    this.#pass = this.#sleep(this.#restUntil - clock.now())
      .then(() => this.#prune())
      .finally(() => {
        this.#pass = undefined
      })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#pass
  }

  /** Never rejects: the next append that meets the limit begins another pass. */
  async #prune(): Promise<void> {
    const { tend, retention, clock, log } = this.#options
    const beganAt = clock.now()
    let events = 0
    let after: string | undefined
    let pressed = true
    try {
      do {
        if (this.#stopped) return
        const stepAt = clock.now()
        const step = await tend.prune(retention, after)
        events += step.events
        after = step.next
        pressed = step.pressed === true
        // Half of the time is left to events that come in.
        if (after !== undefined && pressed) await this.#sleep(clock.now() - stepAt)
      } while (after !== undefined && pressed)
    } catch (error) {
      log.warn(
        { error: describeError(error) },
        'the inbox is nearly full and could not be pruned; it is tried again',
      )
    }
    this.#restUntil = clock.now() + Math.max(restMs, clock.now() - beganAt)
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

  async #sleep(ms: number): Promise<void> {
    if (!(ms > 0) || this.#stopped) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(ms, resolve)
    this.#cancel = resolve
    await promise
    cancel()
  }
}
