import type { Clock } from '../lib/clock.ts'
import type { Engine, Want } from '../model/engine.ts'
import { FusewireError } from '../model/errors.ts'
import type { Lease } from '../model/lease.ts'
import type { AttemptEnd, Observer, Tracer } from '../model/observer.ts'
import type { Outcome } from '../model/outcome.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import { BatchSize } from './batch-size.ts'
import { type Attempt, handle } from './handle.ts'

export interface AttemptsOptions {
  readonly engine: Engine
  readonly handlers: readonly RegisteredHandler[]
  readonly concurrency: number
  readonly observer?: Observer | undefined
  readonly tracer?: Tracer
  readonly clock: Clock
  /** No attempt begins on a lease that was taken or renewed this long ago: another worker may hold the delivery by then. */
  readonly staleMs: number
  /** Called when an attempt does not begin because its lease is stale. */
  onStale(): void
  /** Called once for each lease taken, unless it was lost or given back. */
  onEnd(lease: Lease, outcome: Outcome | 'settled'): void
}

/** The leases that a worker holds: at most `concurrency` of each handler are being attempted, the others wait. */
export class Attempts {
  readonly #options: AttemptsOptions
  readonly #queues: ReadonlyMap<string, HandlerQueue>
  /**
   * When the claim or the renewal of each lease held was requested, which is not after the engine granted it. No WeakMap: V8 removes its
   * entries only in a major collection, and each minor one visits them until then.
   */
  readonly #requestedAt = new Map<Lease, number>()

  constructor(options: AttemptsOptions) {
    this.#options = options
    const { handlers, concurrency, clock } = options
    this.#queues = new Map(
      handlers.map((handler) => {
        // Each cut-off attempt counts, so with maxAttempts a delivery is leased only when its attempt can begin.
        const batchSize = new BatchSize(concurrency, clock, handler.maxAttempts === undefined)
        return [handler.name, { handler, batchSize, waiting: [], running: new Map() }]
      }),
    )
  }

  get hasHandlers(): boolean {
    return this.#queues.size > 0
  }

  /** What to claim, so that every handler has enough to do. */
  wants(): Want[] {
    return this.#wantsOf(({ batchSize }) => batchSize.limit())
  }

  /** What to claim of suspects: only attempts that begin at once, because a crash counts for every delivery that is leased. */
  wantsOfSuspects(): Want[] {
    return this.#wantsOf(({ batchSize }) => batchSize.freeSlots())
  }

  #wantsOf(limitOf: (queue: HandlerQueue) => number): Want[] {
    return [...this.#queues.values()]
      .map((queue): Want => {
        const { name: handler, maxAttempts } = queue.handler
        return { handler, limit: limitOf(queue), ...(maxAttempts !== undefined && { maxAttempts }) }
      })
      .filter(({ limit }) => limit > 0)
  }

  /**
   * Takes the leases of a claim and begins as many attempts as may run. Returns whether a handler got all that it wanted, so that more may
   * be due.
   *
   * @param requestedAt When the claim was requested.
   */
  take(leases: readonly Lease[], wants: readonly Want[], requestedAt: number): boolean {
    for (const lease of leases) {
      this.#requestedAt.set(lease, requestedAt)
      this.#queueOf(lease).waiting.push(lease)
    }
    let more = false
    for (const { handler, limit } of wants) {
      const queue = this.#queues.get(handler)
      if (queue === undefined) continue
      queue.batchSize.claimed(queue.waiting.length, limit)
      more ||= queue.waiting.length === limit
    }
    // Counted first, because a handler may stop the worker as soon as its attempt begins.
    for (const queue of this.#queues.values()) this.#begin(queue)
    return more
  }

  /** Call when these leases were renewed. */
  renewed(leases: readonly Lease[], requestedAt: number): void {
    for (const lease of leases) if (this.#requestedAt.has(lease)) this.#requestedAt.set(lease, requestedAt)
    for (const queue of this.#queues.values()) this.#begin(queue)
  }

  /** Whether a lease may have expired because this thread was blocked and could not renew it. */
  areStale(): boolean {
    const staleFrom = this.#staleFrom()
    for (const requestedAt of this.#requestedAt.values()) if (requestedAt <= staleFrom) return true
    return false
  }

  /** A lease that was requested then, or earlier, is stale. */
  #staleFrom(): number {
    return this.#options.clock.now() - this.#options.staleMs
  }

  /** Every lease held. */
  held(): Lease[] {
    return [...this.#queues.values()].flatMap(({ waiting, running }) => [...waiting, ...running.keys()])
  }

  /** Lets go of these leases: waiting attempts never begin, running ones are aborted and their outcome is ignored. */
  drop(leases: readonly Lease[], reason: string): void {
    for (const lease of leases) {
      const queue = this.#queueOf(lease)
      const index = queue.waiting.indexOf(lease)
      if (index >= 0) queue.waiting.splice(index, 1)
      const controller = queue.running.get(lease)
      if (index < 0 && controller === undefined) continue
      queue.running.delete(lease)
      this.#requestedAt.delete(lease)
      queue.batchSize.ended()
      controller?.abort(new FusewireError('FW_LEASE_LOST', reason))
    }
    for (const queue of this.#queues.values()) this.#begin(queue)
  }

  /** Leases whose attempt has not begun. */
  waiting(): Lease[] {
    return [...this.#queues.values()].flatMap(({ waiting }) => waiting)
  }

  #queueOf(lease: Lease): HandlerQueue {
    const queue = this.#queues.get(lease.handler)
    if (queue === undefined)
      throw new Error(`The engine leased a delivery of ${lease.handler}, which was not claimed.`)
    return queue
  }

  #begin(queue: HandlerQueue): void {
    while (queue.running.size < this.#options.concurrency) {
      const [lease] = queue.waiting
      if (lease === undefined) return
      // A handler may have blocked this thread since the lease was taken.
      if ((this.#requestedAt.get(lease) ?? -Infinity) <= this.#staleFrom()) return this.#options.onStale()
      queue.waiting.shift()
      const controller = new AbortController()
      queue.running.set(lease, controller)
      void this.#attempt(queue, lease, controller.signal)
    }
  }

  /** Never rejects: a rejection here would end the process. */
  async #attempt(queue: HandlerQueue, lease: Lease, signal: AbortSignal): Promise<void> {
    const { engine, observer, clock } = this.#options
    const startedAt = observer === undefined ? 0 : clock.now()
    const end = await this.#traced({ engine, lease, handler: queue.handler, clock, signal })
    if (!queue.running.delete(lease)) return
    this.#requestedAt.delete(lease)
    queue.batchSize.ended()
    observer?.attempted?.(lease, end, clock.now() - startedAt)
    if (end !== 'lost') this.#options.onEnd(lease, end)
    this.#begin(queue)
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
      // handle() never rejects, so this error is the tracer's own.
    }
    return begin()
  }
}

interface HandlerQueue {
  readonly handler: RegisteredHandler
  readonly batchSize: BatchSize
  /** Leased, not yet begun. */
  readonly waiting: Lease[]
  readonly running: Map<Lease, AbortController>
}
