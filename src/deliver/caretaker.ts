import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import type { Log } from '../model/log.ts'
import type { Retention } from '../model/retention.ts'
import type { Node } from '../model/stats.ts'
import type { Tending } from '../model/tending.ts'
import { Relief } from './relieve.ts'
import { IdleWatch } from './watch-idle.ts'

const beatMs = 30_000
const pruneEveryMs = 10 * 60_000
/** How long another process waits before it takes over from one that went without a word. */
const dutyMs = 2 * 60_000
const pauseMs = 50

export interface CaretakerOptions {
  readonly tend: Tending
  readonly handlers: readonly string[]
  /** `none`: nothing is pruned by itself. */
  readonly retention: Retention | 'none'
  readonly clock: Clock
  readonly log: Log
}

/** What a started webhook does beside delivering: says that it is there, and prunes, in small steps, as one process of those that are. */
export class Caretaker {
  readonly #options: CaretakerOptions
  readonly #node: Node
  #cancel: (() => void) | undefined
  #stopped = false
  #pruning: Promise<void> | undefined
  #prunedAt = -Infinity
  #wake = (): void => {}
  readonly #relief: Relief | undefined
  readonly #idleWatch: IdleWatch
  #seenAt = -Infinity

  constructor(options: CaretakerOptions) {
    this.#options = options
    const { tend, retention, clock, log, handlers } = options
    if (retention !== 'none') this.#relief = new Relief({ tend, retention, clock, log })
    this.#node = { id: randomUUID(), host: hostname(), pid: process.pid, startedAt: clock.now(), handlers }
    this.#idleWatch = new IdleWatch({ tend, clock, log, nodeId: this.#node.id })
  }

  start(): void {
    if (this.#cancel === undefined && !this.#stopped) void this.#beat()
  }

  /** The inbox is past the pressure limit of `maxBytes`, or full. Prunes at once, whether or not this process has started. */
  relieve(): void {
    this.#relief?.wake()
  }

  /** This process drains without having started: it says that its handlers are run, so that they are not abandoned. */
  async drained(): Promise<void> {
    const { clock } = this.#options
    if (this.#cancel !== undefined || clock.now() - this.#seenAt < beatMs) return
    this.#seenAt = clock.now()
    await this.#writeHeartbeat()
  }

  async stop(): Promise<void> {
    const started = this.#cancel !== undefined
    this.#stopped = true
    this.#cancel?.()
    this.#wake()
    await Promise.all([this.#pruning, this.#relief?.stop()])
    if (started || this.#seenAt > -Infinity) await this.#options.tend.leave(this.#node.id).catch(() => {}) // It is forgotten in two minutes anyway.
  }

  async #beat(): Promise<void> {
    const { clock, retention } = this.#options
    this.#cancel = clock.after(beatMs, () => void this.#beat())
    if (!(await this.#writeHeartbeat())) return
    await this.#watchIdle()
    if (retention === 'none' || this.#pruning !== undefined || clock.now() - this.#prunedAt < pruneEveryMs)
      return
    this.#pruning = this.#prune(retention).finally(() => {
      this.#pruning = undefined
    })
  }

  /** Whether it was written. Never rejects. */
  async #writeHeartbeat(): Promise<boolean> {
    const { tend, log } = this.#options
    try {
      await tend.beat(this.#node)
      return true
    } catch (error) {
      log.warn(
        { error: describeError(error) },
        'the heartbeat of this process could not be written; it is tried again',
      )
      return false
    }
  }

  /** A process without handlers delivers nothing: while it is alone, no handler becomes idle. Never rejects. */
  async #watchIdle(): Promise<void> {
    if (this.#node.handlers.length === 0 || this.#stopped) return
    try {
      await this.#idleWatch.look()
    } catch (error) {
      this.#options.log.warn(
        { error: describeError(error) },
        'the idle time of handlers could not be counted; it is tried again',
      )
    }
  }

  /** Never rejects: what could not be pruned now is in ten minutes. */
  async #prune(retention: Retention): Promise<void> {
    const { tend, clock, log } = this.#options
    let events = 0
    let after: string | undefined
    try {
      do {
        if (this.#stopped || !(await tend.hold('prune', this.#node.id, dutyMs))) return
        const began = clock.now()
        const step = await tend.prune(retention, after)
        events += step.events
        after = step.next
        // At most half of the time: nothing else is to be slowed.
        if (after !== undefined) await this.#pause(Math.max(pauseMs, clock.now() - began))
      } while (after !== undefined)
      this.#prunedAt = clock.now()
      if (events > 0) log.info({ events }, 'events were pruned')
    } catch (error) {
      log.warn({ error: describeError(error) }, 'the inbox could not be pruned; it is tried again')
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(ms, resolve)
    this.#wake = resolve
    await promise
    cancel()
  }
}
