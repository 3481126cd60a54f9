import type { Clock } from '../lib/clock.ts'
import type { Lease } from '../model/lease.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Engine, Want } from '../model/engine.ts'
import { FusewireError } from '../model/errors.ts'
import type { AttemptEnd, Observer, Tracer } from '../model/observer.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { Appetite } from './appetite.ts'
import { type Attempt, handle } from './handle.ts'

export interface AttemptsOptions {
  readonly engine: Engine
  readonly handlers: readonly RegisteredHandler[]
  readonly concurrency: number
  readonly observer?: Observer | undefined
  readonly tracer?: Tracer
  readonly clock: Clock
  /** No attempt begins on a lease that was taken or renewed so long ago: another worker may hold the delivery by then. */
  readonly staleMs: number
  /** Called when an attempt does not begin because its lease is stale. */
  stale(): void
  /** Told once for each lease taken, unless it was lost or given back. */
  ended(lease: Lease, outcome: Outcome | 'settled'): void
}

/** The leases a worker holds: at most `concurrency` of each handler are being attempted, the others wait for their turn. */
export class Attempts {
  readonly #options: AttemptsOptions
  readonly #lines: ReadonlyMap<string, Line>
  /** When each lease was asked for, or asked to be renewed: no later than it was given. */
  readonly #askedAt = new WeakMap<Lease, number>()

  constructor(options: AttemptsOptions) {
    this.#options = options
    const { handlers, concurrency, clock } = options
    this.#lines = new Map(
      // Each cut-off attempt counts, so those whose number is limited are leased only when they begin.
      handlers.map((handler) => [
        handler.name,
        newLine(handler, new Appetite(concurrency, clock, handler.maxAttempts === undefined)),
      ]),
    )
  }

  /** What to claim, so that every handler has enough to do. */
  wants(): Want[] {
    return this.#wantsOf(({ appetite }) => appetite.limit())
  }

  /** What to claim of suspects: what begins at once, because a crash counts for all that are leased. */
  wantsOfSuspects(): Want[] {
    return this.#wantsOf(({ appetite }) => appetite.free())
  }

  #wantsOf(limitOf: (line: Line) => number): Want[] {
    return [...this.#lines.values()]
      .map((line): Want => {
        const { name: handler, maxAttempts } = line.handler
        return { handler, limit: limitOf(line), ...(maxAttempts !== undefined && { maxAttempts }) }
      })
      .filter(({ limit }) => limit > 0)
  }

  /**
   * Takes what was claimed and begins what may begin. Says whether some handler got all it asked for: there may be more.
   *
   * @param askedAt When the claim was asked for.
   */
  take(leases: readonly Lease[], wants: readonly Want[], askedAt: number): boolean {
    for (const lease of leases) {
      this.#askedAt.set(lease, askedAt)
      this.#line(lease).waiting.push(lease)
    }
    let more = false
    for (const { handler, limit } of wants) {
      const line = this.#lines.get(handler)
      if (line === undefined) continue
      line.appetite.served(line.waiting.length, limit)
      more ||= line.waiting.length === limit
      this.#begin(line)
    }
    return more
  }

  /** These leases were renewed. */
  renewed(leases: readonly Lease[], askedAt: number): void {
    for (const lease of leases) this.#askedAt.set(lease, askedAt)
    for (const line of this.#lines.values()) this.#begin(line)
  }

  /** Whether a lease may have expired without this thread having had the time to renew it. */
  areStale(): boolean {
    return this.held().some((lease) => this.#isStale(lease))
  }

  #isStale(lease: Lease): boolean {
    const { clock, staleMs } = this.#options
    return clock.now() - (this.#askedAt.get(lease) ?? -Infinity) >= staleMs
  }

  /** Every lease held. */
  held(): Lease[] {
    return [...this.#lines.values()].flatMap(({ waiting, running }) => [...waiting, ...running.keys()])
  }

  /** Gives up these leases: what waits never begins, what runs is aborted, and its outcome counts for nothing. */
  drop(leases: readonly Lease[], reason: string): void {
    for (const lease of leases) {
      const line = this.#line(lease)
      const place = line.waiting.indexOf(lease)
      if (place >= 0) line.waiting.splice(place, 1)
      const controller = line.running.get(lease)
      if (place < 0 && controller === undefined) continue
      line.running.delete(lease)
      line.appetite.ended()
      controller?.abort(new FusewireError('FW_LEASE_LOST', reason))
    }
    for (const line of this.#lines.values()) this.#begin(line)
  }

  /** Leases whose attempt has not begun. */
  waiting(): Lease[] {
    return [...this.#lines.values()].flatMap(({ waiting }) => waiting)
  }

  #line(lease: Lease): Line {
    const line = this.#lines.get(lease.handler)
    if (line === undefined) throw new Error(`leased for ${lease.handler}, which was not asked for`)
    return line
  }

  #begin(line: Line): void {
    while (line.running.size < this.#options.concurrency) {
      const [lease] = line.waiting
      if (lease === undefined) return
      // A handler may have blocked this thread since the lease was taken.
      if (this.#isStale(lease)) return this.#options.stale()
      line.waiting.shift()
      const controller = new AbortController()
      line.running.set(lease, controller)
      void this.#attempt(line, lease, controller.signal)
    }
  }

  /** Never rejects: a rejection here would end the process. */
  async #attempt(line: Line, lease: Lease, signal: AbortSignal): Promise<void> {
    const { engine, observer, clock } = this.#options
    const startedAt = observer === undefined ? 0 : clock.now()
    const end = await this.#traced({ engine, lease, handler: line.handler, clock, signal })
    if (!line.running.delete(lease)) return
    line.appetite.ended()
    try {
      observer?.attempted?.(lease, end, clock.now() - startedAt)
    } catch {
      // A metric that cannot be counted must not cost the attempt its outcome.
    }
    if (end !== 'lost') this.#options.ended(lease, end)
    this.#begin(line)
  }

  /** A tracer that throws costs the trace, never the attempt or its outcome. */
  async #traced(attempt: Attempt): Promise<AttemptEnd> {
    const { tracer } = this.#options
    if (tracer === undefined) return handle(attempt)
    let handling: Promise<AttemptEnd> | undefined
    const begin = () => (handling ??= handle(attempt))
    try {
      await tracer.attempting(attempt.lease, begin)
    } catch {
      // What the handler threw is an outcome by now: this is the tracer's own error.
    }
    return begin()
  }
}

interface Line {
  readonly handler: RegisteredHandler
  readonly appetite: Appetite
  readonly waiting: Lease[]
  readonly running: Map<Lease, AbortController>
}

function newLine(handler: RegisteredHandler, appetite: Appetite): Line {
  return { handler, appetite, waiting: [], running: new Map() }
}
