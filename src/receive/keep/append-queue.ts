import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import { describeError } from '../../lib/describe-error.ts'
import { withTimeout } from '../../lib/with-timeout.ts'
import type { Appended, Engine } from '../../model/engine.ts'
import type { Arrival } from '../../model/arrival.ts'
import { keyText } from '../../model/event-key.ts'
import type { Log } from '../../model/log.ts'
import type { Deadline } from '../deadline.ts'

const countLimit = 10_000
const bytesLimit = 64 * 1024 * 1024
const batchLimit = 512
/** So that a database across a network has the next batch when it has done one: a quarter to a third more than one at a time (PostgreSQL). */
const flightLimit = 2
/** Between the end of one probe and the next: how long the first event after an outage can still be refused. */
const probeEveryMs = 500
/** A probe without an answer counts as failed, so that a probe that hangs does not stop probing. Longer than any engine's own deadline. */
const probeWithinMs = 15_000

/** An inbox that is down again so soon has to prove that it takes twice as much. */
const proveMoreWithinMs = 10_000
const proofLimit = 8 * 1024 * 1024

/** `failed`: not known to be durable. `late`: not yet, and whoever asked waits no longer. */
export type AppendResult = Appended | 'failed' | 'late'

interface Waiting {
  readonly arrival: Arrival
  readonly deadline: Deadline
  resolve(outcome: AppendResult): void
  /** Copies that arrived after the deadline and before the append ended: they share its outcome and are not sent again. */
  copies?: Waiting[]
}

/**
 * Arrivals on their way into the engine: those of the same moment share one append, and so one commit. Bounded, for what cannot be kept
 * must not be taken in. When an append fails the queue stays closed until a probe has shown that the engine can write again.
 */
export class AppendQueue {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #log: Log
  #waiting: Waiting[] = []
  readonly #unanswered = new Set<Waiting>()
  /** Those on their way whose deadline has passed, by the text of their keys. */
  readonly #late = new Map<string, Waiting>()
  /** One timer for all of them, at the earliest deadline. */
  #lookAt = Infinity
  #cancelLook = (): void => {}
  #bytes = 0
  /** Appends on their way. */
  #flights = 0
  /** Since when, in epoch ms, the inbox is known to be down. */
  #downSince: number | undefined
  #cancelProbe = (): void => {}
  /** When the inbox was last found to be back. */
  #backAt = -Infinity
  /** What a probe has to write: as much as the batch that failed, so that no gate runs for an event that a full disk does not take. */
  #proofBytes = 0
  #stopped = false

  constructor(engine: Engine, clock: Clock, log: Log) {
    this.#engine = engine
    this.#clock = clock
    this.#log = log
  }

  /** Why nothing is taken in now. */
  closed(): string | undefined {
    if (this.#downSince !== undefined) return 'the inbox is down'
    return this.#waiting.length >= countLimit || this.#bytes >= bytesLimit ? 'the inbox is full' : undefined
  }

  /**
   * Resolves when the arrival is durable, `failed` when it is not known to be, or `late` at its deadline: it is appended all the same, so
   * that the next copy of it is a duplicate.
   */
  push(arrival: Arrival, deadline: Deadline): Promise<AppendResult> {
    return new Promise((resolve) => {
      const first = this.#lateCopyOf(arrival)
      const waiting = { arrival: first?.arrival ?? arrival, deadline, resolve } // Holds the bytes once.
      this.#unanswered.add(waiting)
      if (first === undefined) this.#send(waiting)
      else (first.copies ??= []).push(waiting)
      if (deadline.at < this.#lookAt) this.#look(deadline.at)
    })
  }

  /** One with the same bytes that is still on its way. */
  #lateCopyOf({ key, hash, refused }: Arrival): Waiting | undefined {
    if (this.#late.size === 0) return undefined
    const late = this.#late.get(keyText(key))
    if (late === undefined || late.arrival.refused !== refused) return undefined
    return Buffer.compare(late.arrival.hash, hash) === 0 ? late : undefined
  }

  #send(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#bytes += waiting.arrival.body.length
    if (this.#flights < flightLimit) void this.#flush()
  }

  /** Probes no more. What is on its way is still appended. */
  stop(): void {
    this.#stopped = true
    this.#cancelProbe()
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    this.#flights += 1
    await nextTurn() // Requests that were read in the same turn of the loop come along.
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchLimit)
      const outcomes = await this.#append(batch.map(({ arrival }) => arrival))
      for (const [index, waiting] of batch.entries()) {
        this.#bytes -= waiting.arrival.body.length
        this.#end(waiting, outcomes[index] ?? 'failed')
      }
      await nextTurn()
    }
    this.#flights -= 1
    if (this.#unanswered.size === 0) this.#look(Infinity)
  }

  #end(waiting: Waiting, outcome: AppendResult): void {
    this.#answer(waiting, outcome)
    if (this.#late.size === 0) return
    const name = keyText(waiting.arrival.key)
    if (this.#late.get(name) === waiting) this.#late.delete(name)
    for (const copy of waiting.copies ?? []) this.#answer(copy, outcome === 'stored' ? 'duplicate' : outcome)
  }

  #answer(waiting: Waiting, outcome: AppendResult): void {
    this.#unanswered.delete(waiting)
    waiting.resolve(outcome)
  }

  #look(at: number): void {
    this.#cancelLook()
    this.#lookAt = at
    if (at === Infinity) this.#cancelLook = () => {}
    else
      this.#cancelLook = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#answerTheLate())
  }

  #answerTheLate(): void {
    let next = Infinity
    for (const waiting of this.#unanswered) {
      if (waiting.deadline.remainingMs() <= 0) this.#tellLate(waiting)
      else next = Math.min(next, waiting.deadline.at)
    }
    this.#look(next)
  }

  #tellLate(waiting: Waiting): void {
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
    const again = this.#downSince - this.#backAt < proveMoreWithinMs
    this.#proofBytes = Math.min(proofLimit, Math.max(bytes, again ? this.#proofBytes * 2 : 0))
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
        this.#engine.probe(this.#proofBytes),
      )
    } catch {
      return this.#probeLater()
    }
    const downMs = Math.round(this.#clock.now() - (this.#downSince ?? this.#clock.now()))
    this.#downSince = undefined
    this.#backAt = this.#clock.now()
    // At the level of the outage, so that operators who saw it begin see it end.
    this.#log.error({ downMs }, 'the inbox is back: events are kept again')
  }
}

/** What a batch takes on a disk: its bodies, and 4 KB for the rows and index entries of each. */
function bytesOf(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((sum, { body }) => sum + body.length + 4_096, 0)
}
