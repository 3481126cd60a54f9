import { setImmediate as nextTurn } from 'node:timers/promises'
import { atMost } from '../lib/at-most.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Drained } from '../model/drained.ts'
import type { Engine } from '../model/engine.ts'
import { silentInbox } from '../model/errors.ts'
import type { Lease } from '../model/lease.ts'
import type { Log } from '../model/log.ts'
import type { Observer, Tracer } from '../model/observer.ts'
import type { Outcome } from '../model/outcome.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import type { Stats } from '../model/stats.ts'
import { Attempts } from './attempts.ts'
import { Claimer } from './claimer.ts'
import { LeaseRenewal } from './lease-renewal.ts'
import { OutcomeTally } from './outcome-tally.ts'
import { Settler } from './settler.ts'

export interface WorkerOptions {
  readonly engine: Engine
  readonly handlers: readonly RegisteredHandler[]
  /** How many attempts of each handler may run at a time. */
  readonly concurrency: number
  /** Must not throw, as those of `combineObservers` do not. */
  readonly observer?: Observer | undefined
  readonly tracer?: Tracer
  readonly clock: Clock
  readonly log: Log
  /** For tests that cannot wait until a lease expires. Default: 30,000 ms. */
  readonly leaseMs?: number
}

const defaultLeaseMs = 30_000
/** The engine wakes the worker; polling finds what it did not report. */
const pollMs = 5000
/** Pause after the inbox did not answer. */
const afterErrorMs = 1000
/** How long stopping waits for the inbox to store released leases and the last outcomes. After that the leases expire. */
const storeWithinMs = 500
/** How long a drain whose time is used up may still count the remaining deliveries. */
const countWithinMs = 1000

/**
 * Claims due deliveries, runs their handlers, and settles the outcomes, in one loop. The loop runs while it is needed: from `start` to `stop`,
 * and during each `drain`. It sleeps until the engine wakes it, a delivery falls due or an attempt ends.
 */
export class Worker {
  readonly #options: WorkerOptions
  readonly #attempts: Attempts
  readonly #tally: OutcomeTally
  readonly #settler: Settler
  readonly #claimer: Claimer
  readonly #renewal: LeaseRenewal
  /** Resolve the drains when nothing is due. */
  #onIdle: (() => void)[] = []
  /** How many callers need the loop: one for `start`, one for each drain. */
  #needed = 0
  #started = false
  #loop: Promise<void> | undefined
  #wake = (): void => {}

  constructor(options: WorkerOptions) {
    this.#options = options
    const { engine, handlers, clock, log, observer, leaseMs = defaultLeaseMs } = options
    this.#tally = new OutcomeTally(log)
    this.#attempts = new Attempts({
      ...options,
      staleMs: leaseMs / 2,
      onStale: () => this.#wake(),
      onEnd: (lease, outcome) => this.#ended(lease, outcome),
    })
    const shared = { engine, attempts: this.#attempts, leaseMs, clock, log }
    this.#settler = new Settler({ engine, handlers, clock, log })
    this.#claimer = new Claimer({
      ...shared,
      tally: this.#tally,
      pollMs,
      observer,
      isStopped: () => this.#needed === 0,
    })
    this.#renewal = new LeaseRenewal({ ...shared, onRenewed: () => this.#claimSoon() })
  }

  /** Delivers until `stop`. */
  start(): void {
    if (!this.#started) this.#need()
    this.#started = true
  }

  /**
   * Claims nothing more and gives back the leases whose attempt has not begun. Lets running attempts end within `withinMs`, then aborts them
   * and gives their leases back: those deliveries are attempted again, and this attempt is not counted. Ends half a second later, whether
   * the inbox has answered or not.
   */
  async stop(withinMs: number): Promise<void> {
    this.#needed = 0
    const givingBack = [this.#giveBack(this.#attempts.waiting())]
    const abort = () => void givingBack.push(this.#giveBack(this.#attempts.held()))
    const cancel = withinMs > 0 ? this.#options.clock.after(withinMs, abort) : abort()
    this.#wake()
    const ended = Promise.resolve(this.#loop).then(() => Promise.all(givingBack))
    await atMost(this.#options.clock, withinMs + storeWithinMs, ended)
    cancel?.()
  }

  /**
   * Delivers until nothing is due, until `withinMs` have passed or until the signal aborts. Throws FW_INBOX_SILENT when the inbox does not
   * answer by then.
   */
  async drain(withinMs: number, signal?: AbortSignal): Promise<Drained> {
    const until = this.#options.clock.now() + withinMs
    const before = this.#tally.counts()
    this.#need()
    await this.#untilIdle(withinMs, signal)
    if (this.#needed === 1) await this.stop(0)
    else this.#needed = Math.max(0, this.#needed - 1)
    const stats = await this.#countRemaining(until)
    const after = this.#tally.counts()
    return {
      succeeded: after.succeeded - before.succeeded,
      retrying: after.retrying - before.retrying,
      dead: after.dead - before.dead,
      remaining: stats.handlers.reduce((sum, { pending }) => sum + pending, 0),
    }
  }

  /** Resolves when nothing is due, after `withinMs`, or when the signal aborts. */
  async #untilIdle(withinMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return
    const { promise, resolve: end } = Promise.withResolvers<void>()
    this.#onIdle.push(end)
    const cancel = withinMs < Infinity ? this.#options.clock.after(withinMs, end) : undefined
    const onAbort = () => end()
    signal?.addEventListener('abort', onAbort)
    await promise
    signal?.removeEventListener('abort', onAbort)
    cancel?.()
    this.#onIdle = this.#onIdle.filter((other) => other !== end)
  }

  /** Counts the deliveries in the inbox, within the time left and at least a second. */
  async #countRemaining(until: number): Promise<Stats> {
    const { engine, clock } = this.#options
    const isStuck = this.#needed === 0 && this.#loop !== undefined
    const ms = Math.max(countWithinMs, until - clock.now())
    const stats = isStuck ? undefined : await atMost(clock, ms, engine.stats())
    if (stats === undefined) throw silentInbox()
    return stats
  }

  #need(): void {
    this.#needed += 1
    this.#claimSoon()
    this.#loop ??= this.#run()
  }

  /** Never rejects: what the engine refuses is tried again. */
  async #run(): Promise<void> {
    using _watching = this.#options.engine.watch(() => this.#claimSoon())
    using _renewing = this.#renewal.start()
    for (;;) {
      const sleepMs = await this.#iterate()
      const busy = this.#attempts.held().length > 0 || this.#settler.isPending
      if (!busy && !this.#claimer.due) for (const end of this.#onIdle.splice(0)) end()
      if (!busy && this.#needed === 0) {
        this.#loop = undefined // Before anything else can run, so that the next caller that needs the loop starts it.
        return
      }
      await this.#sleep(sleepMs)
    }
  }

  /**
   * Settles the attempts that have ended and claims due deliveries. Returns for how many ms nothing more can fall due. Both are requested
   * at once, so that an engine can do them in one commit: 1.5 times as many events per second in a single lane.
   */
  async #iterate(): Promise<number> {
    try {
      const settling = this.#settle()
      settling.catch(() => {}) // Awaited below; until then a rejection must not count as unhandled.
      // If the thread was blocked, leases that another worker has taken meanwhile are dropped before another attempt begins.
      if (this.#attempts.areStale()) await this.#renewal.renew()
      // Outcomes are settled before a suspect can end the process.
      if (this.#claimer.suspectsDue) await Promise.allSettled([settling])
      const claiming = this.#claimer.claim()
      await Promise.allSettled([settling, claiming]) // If one of them fails, the other is still awaited.
      await settling
      return await claiming
    } catch (error) {
      this.#options.log.error(
        { error: describeError(error) },
        'the inbox does not answer; the worker tries again in a second',
      )
      // Nothing waits for the outcomes of a stopped worker: the leases expire, and the deliveries are attempted again.
      if (this.#needed === 0) this.#settler.discard()
      else await this.#pause(afterErrorMs)
      this.#claimer.due = this.#needed > 0
      return pollMs
    }
  }

  async #settle(): Promise<void> {
    if (!this.#settler.isPending) return
    this.#claimer.due = true // The next delivery of each lane.
    await this.#settler.settle()
    this.#claimer.due = true // A claim that ran at the same time may not have seen them yet.
  }

  #ended(lease: Lease, outcome: Outcome | 'settled'): void {
    if (outcome === 'settled') this.#claimer.due = true
    else this.#settler.add({ lease, outcome })
    this.#tally.count(lease, outcome)
    this.#wake()
  }

  /** Never rejects. */
  async #giveBack(leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return
    this.#attempts.drop(leases, 'the worker stops')
    try {
      await this.#options.engine.release(leases)
    } catch (error) {
      this.#options.log.error(
        { error: describeError(error) },
        'leases could not be given back; they run out by themselves',
      )
    }
    this.#wake()
  }

  #claimSoon(): void {
    this.#claimer.due = true
    this.#wake()
  }

  /** Sleeps until there is something to do. Then lets other work of this thread run first, while outcomes of the same moment gather. */
  async #sleep(ms: number): Promise<void> {
    const ready = this.#settler.isPending || this.#claimer.mayClaim()
    if (!ready && ms > 0) await this.#pause(ms)
    await nextTurn()
  }

  /** Pauses until something wakes the worker. After `ms` at the latest it claims again. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(ms, () => {
      this.#claimer.due = true
      resolve()
    })
    this.#wake = resolve
    await promise
    this.#wake = () => {}
    cancel()
  }
}
