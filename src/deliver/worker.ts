import { setImmediate as nextTurn } from 'node:timers/promises'
import { atMost } from '../lib/at-most.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Drained } from '../model/drained.ts'
import type { Lease } from '../model/lease.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Engine, Settlement } from '../model/engine.ts'
import { FusewireError, silentInbox } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import type { Observer, Tracer } from '../model/observer.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import type { Stats } from '../model/stats.ts'
import { Attempts } from './attempts.ts'
import { outcomeOf } from './outcome.ts'
import { settleBatch } from './settle-batch.ts'

export interface WorkerOptions {
  readonly engine: Engine
  readonly handlers: readonly RegisteredHandler[]
  /** Attempts at a time, for each handler. */
  readonly concurrency: number
  readonly observer?: Observer | undefined
  readonly tracer?: Tracer
  readonly clock: Clock
  readonly log: Log
  /** For tests, which cannot wait for a lease to expire. Default: 30,000 ms. */
  readonly leaseMs?: number
}

const defaultLeaseMs = 30_000
/** How long suspects wait for the attempts under way to end, so that they run by themselves. The default `timeoutMs` of a handler. */
const clearMs = 30_000
/** The engine wakes the worker; this net catches what it missed. */
const pollMs = 5000
/** Pause when the inbox does not answer. */
const mendMs = 1000
/** How long stopping waits for the inbox to store released leases and last outcomes. If it does not, the leases expire by themselves. */
const lastWordMs = 500
/** How long counting what remains may take, when all of a drain's time is used up. */
const countMs = 1000

/**
 * Claims due deliveries, runs their handlers, settles what came of it. One loop, which sleeps until the engine wakes it, something falls due
 * or an attempt ends; it runs while somebody needs it: from `start` to `stop`, and during each `drain`.
 */
export class Worker {
  readonly #options: WorkerOptions
  readonly #attempts: Attempts
  readonly #tally = { succeeded: 0, retrying: 0, dead: 0 }
  #settlements: Settlement[] = []
  /** How often the inbox refused to settle a lease while it took other writes. */
  readonly #refusals = new WeakMap<Lease, number>()
  #idle: (() => void)[] = []
  /** How many need the loop. */
  #needed = 0
  #started = false
  #loop: Promise<void> | undefined
  /** Something may be claimable. */
  #due = false
  /** Deliveries whose process ended during an attempt may be due: they are tried again by themselves. */
  #suspectsDue = true
  /** Since when suspects wait for the attempts under way. */
  #suspectsWaitSince: number | undefined
  /** Suspects that were leased; nothing else begins while one of them is held. */
  #suspects: ReadonlySet<Lease> = new Set()
  readonly #leaseMs: number
  #renewing: Promise<void> | undefined
  #wake = (): void => {}

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#leaseMs = options.leaseMs ?? defaultLeaseMs
    this.#attempts = new Attempts({
      ...options,
      staleMs: this.#leaseMs / 2,
      stale: () => this.#wake(),
      ended: (lease, outcome) => this.#ended(lease, outcome),
    })
  }

  /** Delivers until `stop`. */
  start(): void {
    if (!this.#started) this.#need()
    this.#started = true
  }

  /**
   * Claims nothing more, gives back what has not begun, lets what has begun end within `withinMs`, then aborts it and gives it back: those
   * deliveries will be attempted again, uncounted. Half a second later it ends, whether the inbox answered or not.
   */
  async stop(withinMs: number): Promise<void> {
    this.#needed = 0
    this.#wake()
    const abort = () => void this.#giveBack(this.#attempts.held())
    const cancel = withinMs > 0 ? this.#options.clock.after(withinMs, abort) : abort()
    await atMost(this.#options.clock, withinMs + lastWordMs, Promise.resolve(this.#loop))
    cancel?.()
  }

  /** Delivers until nothing is due, until `withinMs` have passed or until the signal aborts. Throws when the inbox does not answer by then. */
  async drain(withinMs: number, signal?: AbortSignal): Promise<Drained> {
    const until = this.#options.clock.now() + withinMs
    const before = { ...this.#tally }
    this.#need()
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    this.#idle.push(end)
    const cancel = withinMs < Infinity ? this.#options.clock.after(withinMs, end) : undefined
    signal?.addEventListener('abort', () => end(), { once: true })
    if (signal?.aborted === true) end()
    await over
    cancel?.()
    if (this.#needed === 1) await this.stop(0)
    else this.#needed = Math.max(0, this.#needed - 1)
    const stats = await this.#remaining(until)
    return {
      succeeded: this.#tally.succeeded - before.succeeded,
      retrying: this.#tally.retrying - before.retrying,
      dead: this.#tally.dead - before.dead,
      remaining: stats.handlers.reduce((sum, { pending }) => sum + pending, 0),
    }
  }

  /** Counts what the inbox holds, by that time and for at least a second. */
  async #remaining(until: number): Promise<Stats> {
    const { engine, clock } = this.#options
    const isStuck = this.#needed === 0 && this.#loop !== undefined
    const ms = Math.max(countMs, until - clock.now())
    const stats = isStuck ? undefined : await atMost(clock, ms, engine.stats())
    if (stats === undefined) throw silentInbox()
    return stats
  }

  #need(): void {
    this.#needed += 1
    this.#due = true
    this.#wake()
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined
    })
  }

  /** Never rejects: what the engine refuses is tried again. */
  async #run(): Promise<void> {
    const { engine, clock } = this.#options
    using _watching = engine.watch(() => this.#look())
    using _renewing = repeat(clock, this.#leaseMs / 3, () => void this.#renew())
    for (;;) {
      const sleepMs = await this.#turn()
      const busy = this.#attempts.held().length > 0 || this.#settlements.length > 0
      if (!busy && !this.#due) this.#rest()
      if (!busy && this.#needed === 0) return
      await this.#sleep(sleepMs)
    }
  }

  /**
   * Settles what has ended, claims what is due, begins it. Says how long nothing more can fall due. Both are asked for at once, so that an
   * engine can do them in one commit: that carries a lane half as fast again.
   */
  async #turn(): Promise<number> {
    try {
      const settling = this.#settle()
      settling.catch(() => {}) // Awaited below; until then a rejection must not count as unhandled.
      // After a block of the thread, what was lost to another worker is dropped before anything else begins.
      if (this.#attempts.areStale()) await this.#renew()
      // What has ended is settled before a suspect can end the process.
      if (this.#suspectsDue) await Promise.allSettled([settling])
      const claiming = this.#claim()
      await Promise.allSettled([settling, claiming]) // Whatever one meets, the other is not left behind.
      await settling
      return await claiming
    } catch (error) {
      this.#options.log.error(
        { error: describeError(error) },
        'the inbox does not answer; the worker tries again in a second',
      )
      // Nobody waits for a stopped worker's settlements: the leases run out, and another attempt is made.
      if (this.#needed === 0) this.#settlements = []
      else await this.#pause(mendMs)
      this.#due = this.#needed > 0
      return pollMs
    }
  }

  async #settle(): Promise<void> {
    const settlements = this.#settlements
    this.#settlements = []
    if (settlements.length === 0) return
    this.#due = true // The next of each lane.
    const { left, error } = await settleBatch(this.#options.engine, settlements, (one, why) =>
      this.#replacementOf(one, why),
    )
    this.#settlements = [...left, ...this.#settlements]
    if (left.length > 0) throw error
    this.#due = true // The claim beside it may not have seen them yet.
  }

  /**
   * For a settlement that the inbox refuses although it takes others: the same once more, then a failed attempt, then a dead letter without
   * a text of the handler's. When it refuses that too, the lease runs out.
   */
  #replacementOf(settlement: Settlement, error: unknown): Settlement | undefined {
    const { lease } = settlement
    const { handlers, clock, log } = this.#options
    const refusals = (this.#refusals.get(lease) ?? 0) + 1
    this.#refusals.set(lease, refusals)
    if (refusals === 1) return settlement
    const handler = handlers.find(({ name }) => name === lease.handler)
    const refused = new FusewireError(
      'FW_SETTLE',
      `The outcome of an attempt could not be stored: ${describeError(error)}`,
    )
    const fields = {
      handler: lease.handler,
      id: lease.event.key.id,
      code: refused.code,
      error: refused.message,
    }
    if (refusals === 2 && handler !== undefined) {
      const outcome = outcomeOf(refused, lease, handler, clock)
      log.error({ ...fields, instead: outcome.kind }, 'an outcome could not be stored; another is stored')
      return { lease, outcome }
    }
    if (refusals <= 3) {
      log.error({ ...fields, instead: 'dead' }, 'an outcome could not be stored; the delivery is given up')
      return { lease, outcome: { kind: 'dead', reason: 'failed' } }
    }
    log.error(fields, 'no outcome of a delivery can be stored; its lease runs out')
    return undefined
  }

  async #claim(): Promise<number> {
    if (this.#needed === 0) await this.#giveBack(this.#attempts.waiting())
    if (this.#options.handlers.length === 0) this.#due = false // Nothing can be due: a drain ends.
    if (!this.#mayClaim()) return pollMs
    const { engine, clock } = this.#options
    const forSuspects = this.#suspectsDue
    const wants = forSuspects ? this.#attempts.wantsOfSuspects() : this.#attempts.wants()
    const beside = forSuspects ? this.#attempts.held().length : 'none'
    const askedAt = clock.now()
    this.#due = false
    const claimed = await engine.claim(wants, this.#leaseMs, beside)
    const { leases, crashed, gone = [], suspects = false, nextInMs = pollMs } = claimed
    this.#suspectsDue = suspects
    if (!suspects) this.#suspectsWaitSince = undefined
    else if (forSuspects) this.#suspects = new Set(leases)
    else this.#suspectsWaitSince = askedAt
    for (const { handler, key, reason } of crashed) {
      this.#tally.dead += 1
      this.#options.observer?.crashed?.(handler, key)
      this.#options.log.error({ handler, id: key.id, reason }, deathOf[reason])
    }
    for (const { handler, position } of gone) {
      this.#options.log.warn(
        { handler, position },
        'a delivery ended without an attempt: the body of its event is no longer in the inbox',
      )
    }
    if (this.#needed === 0) await this.#options.engine.release(leases) // Stopped while it claimed.
    else if (this.#attempts.take(leases, wants, askedAt) || nextInMs === 0) this.#due = true
    return Math.min(pollMs, nextInMs)
  }

  /** Not while suspects run or wait to run by themselves, nor while a lease may have been lost. */
  #mayClaim(): boolean {
    if (this.#needed === 0 || !this.#due) return false
    const held = this.#attempts.held()
    if (this.#suspects.size > 0) {
      if (held.some((lease) => this.#suspects.has(lease))) return false
      this.#suspects = new Set()
    }
    if (this.#suspectsDue && held.length > 0) {
      this.#suspectsWaitSince ??= this.#options.clock.now()
      if (this.#options.clock.now() - this.#suspectsWaitSince < clearMs) return false
    }
    if (this.#attempts.areStale()) return false
    const wants = this.#suspectsDue ? this.#attempts.wantsOfSuspects() : this.#attempts.wants()
    return wants.length > 0
  }

  #ended(lease: Lease, outcome: Outcome | 'settled'): void {
    if (outcome === 'settled') this.#due = true
    else this.#settlements.push({ lease, outcome })
    this.#count(lease, outcome)
    this.#wake()
  }

  #count(lease: Lease, outcome: Outcome | 'settled'): void {
    const { handler, attempt, event } = lease
    const fields = { handler, attempt, type: event.type, id: event.key.id }
    if (outcome === 'settled') {
      this.#tally.succeeded += 1
      return
    }
    switch (outcome.kind) {
      case 'succeeded':
      case 'skipped':
        this.#tally.succeeded += 1
        return
      case 'retry':
        this.#tally.retrying += 1
        return this.#options.log.warn(
          { ...fields, error: outcome.failure.message, retryInMs: outcome.afterMs },
          'a handler failed',
        )
      case 'dead':
        this.#tally.dead += 1
        return this.#options.log.error(
          { ...fields, error: outcome.failure?.message, reason: outcome.reason },
          'a delivery is dead',
        )
      case 'wait':
        return
    }
  }

  /** Leases that cannot be renewed run out by themselves; leases that were lost stop their attempt. Never rejects. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renewOnce(): Promise<void> {
    const held = this.#attempts.held()
    if (held.length === 0) return
    const askedAt = this.#options.clock.now()
    try {
      const renewed = await this.#options.engine.renew(held, this.#leaseMs)
      const lost = held.filter((_, index) => renewed[index] === 'lost')
      this.#attempts.drop(lost, 'another worker holds this delivery now')
      this.#attempts.renewed(
        held.filter((_, index) => renewed[index] === 'renewed'),
        askedAt,
      )
    } catch (error) {
      this.#options.log.error({ error: describeError(error) }, 'leases could not be renewed')
    }
    this.#look()
  }

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

  #look(): void {
    this.#due = true
    this.#wake()
  }

  /** Everybody who drains has what they wanted. */
  #rest(): void {
    for (const end of this.#idle) end()
    this.#idle = []
  }

  /** Until there is something to do; then lets other work of this thread go first, and outcomes of the same moment gather. */
  async #sleep(ms: number): Promise<void> {
    const ready = this.#settlements.length > 0 || this.#mayClaim()
    if (!ready && ms > 0) {
      await this.#pause(ms)
    }
    await nextTurn()
  }

  /** Until somebody wakes the worker, at most so long; then it looks again. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(ms, () => {
      this.#due = true
      resolve()
    })
    this.#wake = resolve
    await promise
    this.#wake = () => {}
    cancel()
  }
}

const deathOf = {
  crashed: 'a delivery is dead: its process ended three times while it ran alone',
  interrupted: 'a delivery is dead: its process ended during the last attempt that maxAttempts allows',
} as const

function repeat(clock: Clock, ms: number, call: () => void): Disposable {
  let cancel = clock.after(ms, again)
  function again(): void {
    call()
    cancel = clock.after(ms, again)
  }
  return { [Symbol.dispose]: () => cancel() }
}
