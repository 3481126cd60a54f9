import { type Clock, systemClock } from '../lib/clock.ts'

const tickMs = 250
/** The idle timeout: 1.5 s without a chunk, rounded up to the next tick. */
const idleTicks = 6
/** The total timeout: 10 s, rounded up to the next tick. */
const totalTicks = 40

/**
 * Idle and total timeout for bodies, on one shared timer: a timer for each body cost every request 3 µs. A blocked event loop does not count
 * against senders, because time passes only as ticks do.
 */
export class BodyTimeout {
  readonly #clock: Clock
  readonly #bodies: TimedBody[] = []
  #tick = 0
  #ticking = false

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** @param expired Called when a timeout has passed. It must call `end`. */
  begin(expired: () => void): TimedBody {
    const body = {
      expired,
      index: this.#bodies.length,
      beganAtTick: this.#tick,
      progressedAtTick: this.#tick,
    }
    this.#bodies.push(body)
    if (!this.#ticking) this.#tickLater()
    return body
  }

  /** A chunk came. */
  progressed(body: TimedBody): void {
    body.progressedAtTick = this.#tick
  }

  /** Call it once for each body. The last body takes the place of the ended one, so that an end costs the same among a thousand. */
  end(body: TimedBody): void {
    const last = this.#bodies.pop()
    if (last === undefined || last === body) return
    last.index = body.index
    this.#bodies[body.index] = last
  }

  #tickLater(): void {
    this.#ticking = true
    this.#clock.after(tickMs, () => this.#onTick())
  }

  #onTick(): void {
    this.#tick += 1
    const isExpired = ({ beganAtTick, progressedAtTick }: TimedBody) =>
      this.#tick - progressedAtTick > idleTicks || this.#tick - beganAtTick > totalTicks
    for (const body of this.#bodies.filter(isExpired)) body.expired()
    if (this.#bodies.length > 0) this.#tickLater()
    else this.#ticking = false
  }
}

/** A body under the timeouts, for `progressed` and `end`. */
export interface TimedBody {
  readonly expired: () => void
  index: number
  readonly beganAtTick: number
  progressedAtTick: number
}
