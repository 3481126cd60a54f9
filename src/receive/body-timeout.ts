const tickMs = 250
/** Longest silence: 1.5 s, to the next tick. */
const idleTicks = 6
/** Longest time in all, however steadily it drips: 10 s, to the next tick. */
const totalTicks = 40

/**
 * Gives up what falls silent, or never ends. All waits share one timer, for one each would cost every request 3 µs. While the process is too
 * busy to tick, nobody's time runs.
 */
export class BodyTimeout {
  readonly #waits: TimedBody[] = []
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  /** @param slow Called when it took too long. It must call `end`. */
  begin(slow: () => void): TimedBody {
    const wait = { slow, place: this.#waits.length, beganAtTick: this.#tick, progressedAtTick: this.#tick }
    this.#waits.push(wait)
    this.#timer ??= setInterval(() => this.#look(), tickMs)
    return wait
  }

  progressed(wait: TimedBody): void {
    wait.progressedAtTick = this.#tick
  }

  /** Call it once for each wait. The last one takes its place, so that a thousand waits cost no more than one. */
  end(wait: TimedBody): void {
    const last = this.#waits.pop()
    if (last === undefined || last === wait) return
    last.place = wait.place
    this.#waits[wait.place] = last
  }

  #look(): void {
    this.#tick += 1
    const isSlow = ({ beganAtTick, progressedAtTick }: TimedBody) =>
      this.#tick - progressedAtTick > idleTicks || this.#tick - beganAtTick > totalTicks
    for (const wait of this.#waits.filter(isSlow)) wait.slow()
    if (this.#waits.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** For `heard` and `end`. */
export interface TimedBody {
  readonly slow: () => void
  place: number
  readonly beganAtTick: number
  progressedAtTick: number
}
