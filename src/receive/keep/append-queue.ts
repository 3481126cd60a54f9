import { setImmediate as nextIteration } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/describe-error.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import type { Appended, Engine } from '../../model/engine.ts'
import type { Arrival } from '../../model/arrival.ts'
import { keyText } from '../../model/event-key.ts'
import type { Log } from '../../model/log.ts'
import type { Deadline } from '../deadline.ts'

/** Arrivals in the queue; one more, and the queue is full. */
const countLimit = 10_000
const bytesLimit = 64 * 1024 * 1024
/** Arrivals of one append. */
const batchLimit = 512
/** Appends in progress at one time. Two hide the network round trip: 25 to 33 % more events per second on PostgreSQL. */
const concurrencyLimit = 2
/** Pause between probes: so long after an outage events can still be refused. */
const probeEveryMs = 500
/** A probe without an answer fails after this time, so that the next one follows. Longer than any engine's own deadline. */
const probeWithinMs = 15_000

/** When the inbox fails again so soon after it came back, the next probe writes twice as many bytes. */
const doubleProbeWithinMs = 10_000
const probeBytesLimit = 8 * 1024 * 1024

/** `failed`: the append failed, or its outcome is unknown. `late`: the deadline passed; the append goes on. */
export type AppendResult = Appended | 'failed' | 'late'

interface Waiting {
  readonly arrival: Arrival
  readonly deadline: Deadline
  resolve(result: AppendResult): void
  /** Copies that came after the deadline and before the append ended: they get its result and are not appended themselves. */
  copies?: Waiting[]
}

/**
 * Arrivals that wait for the engine. Those that wait at the same time share one append, and so one commit. Bounded: when the limit is
 * reached, `closed()` makes the receiver answer 503. When an append fails the queue stays closed until a probe has written successfully.
 */
export class AppendQueue {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #log: Log
  #waiting: Waiting[] = []
  readonly #unanswered = new Set<Waiting>()
  /** Arrivals still being appended whose deadline has passed, by `keyText`. */
  readonly #late = new Map<string, Waiting>()
  /** When the one timer fires: at the earliest deadline of those unanswered. */
  #timerAt = Infinity
  #cancelTimer = (): void => {}
  #bytes = 0
  #appendsInProgress = 0
  /** Since when the inbox is down, epoch ms. Undefined: it works. */
  #downSince: number | undefined
  #cancelProbe = (): void => {}
  /** When the last outage ended, epoch ms. */
  #backAt = -Infinity
  /** What a probe writes: as many bytes as the batch that failed, so that a nearly full disk is not taken for a working one. */
  #probeBytes = 0
  #stopped = false

  constructor(engine: Engine, clock: Clock, log: Log) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
  }

  /** Why nothing can be appended now. */
  closed(): string | undefined {
    if (this.#downSince !== undefined) return 'the inbox is down'
    return this.#waiting.length >= countLimit || this.#bytes >= bytesLimit ? 'the inbox is full' : undefined
  }

  /**
   * Resolves with the append's result, or with `late` at the deadline. A late arrival is appended all the same, so that the next copy of it
   * is a duplicate.
   */
  push(arrival: Arrival, deadline: Deadline): Promise<AppendResult> {
    return new Promise((resolve) => {
      const first = this.#lateCopyOf(arrival)
      const waiting = { arrival: first?.arrival ?? arrival, deadline, resolve } // A copy needs no bytes of its own.
      this.#unanswered.add(waiting)
      if (first === undefined) this.#send(waiting)
      else (first.copies ??= []).push(waiting)
      if (deadline.at < this.#timerAt) this.#setTimer(deadline.at)
    })
  }

  /** A late arrival with the same bytes that is still being appended. */
  #lateCopyOf({ key, hash, refused }: Arrival): Waiting | undefined {
    if (this.#late.size === 0) return undefined
    const late = this.#late.get(keyText(key))
    if (late === undefined || late.arrival.refused !== refused) return undefined
    return Buffer.compare(late.arrival.hash, hash) === 0 ? late : undefined
  }

  #send(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#bytes += waiting.arrival.body.length
    if (this.#appendsInProgress < concurrencyLimit) void this.#flush()
  }

  /** Ends probing. Arrivals in the queue are still appended. */
  stop(): void {
    this.#stopped = true
    this.#cancelProbe()
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    this.#appendsInProgress += 1
    await nextIteration() // Requests that were read in the same iteration of the event loop join the batch.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchLimit)
      const results = await this.#append(batch.map(({ arrival }) => arrival))
      for (const [index, waiting] of batch.entries()) {
        this.#bytes -= waiting.arrival.body.length
        this.#end(waiting, results[index] ?? 'failed')
      }
      await nextIteration()
    }
    this.#appendsInProgress -= 1
    if (this.#unanswered.size === 0) this.#setTimer(Infinity)
  }

  #end(waiting: Waiting, result: AppendResult): void {
    this.#answer(waiting, result)
    if (this.#late.size === 0) return
    const name = keyText(waiting.arrival.key)
    if (this.#late.get(name) === waiting) this.#late.delete(name)
    for (const copy of waiting.copies ?? []) this.#answer(copy, result === 'stored' ? 'duplicate' : result)
  }

  #answer(waiting: Waiting, result: AppendResult): void {
    this.#unanswered.delete(waiting)
    waiting.resolve(result)
  }

  #setTimer(at: number): void {
    this.#cancelTimer()
    this.#timerAt = at
    if (at === Infinity) this.#cancelTimer = () => {}
    else this.#cancelTimer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#answerLate())
  }

  #answerLate(): void {
    let next = Infinity
    for (const waiting of this.#unanswered) {
      if (waiting.deadline.remainingMs() <= 0) this.#endLate(waiting)
      else next = Math.min(next, waiting.deadline.at)
    }
    this.#setTimer(next)
  }

  #endLate(waiting: Waiting): void {
    this.#answer(waiting, 'late')
    const name = keyText(waiting.arrival.key)
    if (!this.#late.has(name)) this.#late.set(name, waiting)
  }

  async #append(arrivals: readonly Arrival[]): Promise<readonly Appended[]> {
    try {
      return await this.#engine.append(arrivals)
    } catch (error) {
      this.#close(error, bytesOf(arrivals))
      return []
    }
  }

  #close(error: unknown, bytes: number): void {
    if (this.#downSince !== undefined) return
    this.#downSince = this.#clock.now()
    const isDownAgain = this.#downSince - this.#backAt < doubleProbeWithinMs
    this.#probeBytes = Math.min(probeBytesLimit, Math.max(bytes, isDownAgain ? this.#probeBytes * 2 : 0))
    this.#log.error(
      { error: describeError(error) },
      'the inbox is down: events are answered 503 until it is back',
    )
    this.#probeLater()
  }

  #probeLater(): void {
    if (!this.#stopped) this.#cancelProbe = this.#clock.after(probeEveryMs, () => void this.#probe(), false)
  }

  /** Never rejects. */
  async #probe(): Promise<void> {
    const late = () => new Error('a probe of the inbox had no answer')
    try {
      await withTimeout({ ms: probeWithinMs, clock: this.#clock, late }, () =>
        this.#engine.probe(this.#probeBytes),
      )
    } catch {
      return this.#probeLater()
    }
    const downMs = Math.round(this.#clock.now() - (this.#downSince ?? this.#clock.now()))
    this.#downSince = undefined
    this.#backAt = this.#clock.now()
    // Logged at the level of the outage, so that a log that shows its beginning also shows its end.
    this.#log.error({ downMs }, 'the inbox is back: events are kept again')
  }
}

/** What a batch takes on disk: its bodies, and for each about 4 KB of rows and index entries. */
function bytesOf(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((sum, { body }) => sum + body.length + 4_096, 0)
}
