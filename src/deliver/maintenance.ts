import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/describe-error.ts'
import { pause } from '../lib/pause.ts'
import type { Log } from '../model/log.ts'
import type { Retention } from '../model/retention.ts'
import type { Node } from '../model/stats.ts'
import type { Tending } from '../model/tending.ts'
import { IdleHandlerWatch } from './idle-handler-watch.ts'
import { PruneWhenFull } from './prune-when-full.ts'

const heartbeatMs = 30_000
const pruneEveryMs = 10 * 60_000
/** If the process that prunes writes no heartbeat for this long, another one takes over. */
const dutyMs = 2 * 60_000
const shortestPauseMs = 50

export interface MaintenanceOptions {
  readonly tend: Tending
  readonly handlers: readonly string[]
  /** `none`: nothing is pruned automatically. */
  readonly retention: Retention | 'none'
  readonly clock: Clock
  readonly log: Log
}

/**
 * What a started webhook does besides delivering: writes a heartbeat every 30 s, ends deliveries of abandoned handlers, and prunes. Of
 * several processes on one inbox, one prunes.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #node: Node
  readonly #stop = new AbortController()
  #cancelHeartbeat: (() => void) | undefined
  #pruning: Promise<void> | undefined
  #prunedAt = -Infinity
  #drainedAt = -Infinity
  readonly #pruneWhenFull: PruneWhenFull | undefined
  readonly #idleHandlers: IdleHandlerWatch

  constructor(options: MaintenanceOptions) {
    this.#options = options
    const { tend, retention, clock, log, handlers } = options
    if (retention !== 'none') this.#pruneWhenFull = new PruneWhenFull({ tend, retention, clock, log })
    this.#node = { id: randomUUID(), host: hostname(), pid: process.pid, startedAt: clock.now(), handlers }
    this.#idleHandlers = new IdleHandlerWatch({ tend, clock, log, nodeId: this.#node.id })
  }

  start(): void {
    if (this.#cancelHeartbeat === undefined && !this.#stop.signal.aborted) void this.#heartbeat()
  }

  /** Call when the inbox is past the pressure limit of `maxBytes`, or full. Prunes at once, whether or not this process has started. */
  pruneWhenFull(): void {
    this.#pruneWhenFull?.wake()
  }

  /** Call when this process drains. One that has not started writes a heartbeat too, so that its handlers are not abandoned. */
  async drained(): Promise<void> {
    const { clock } = this.#options
    if (this.#cancelHeartbeat !== undefined || clock.now() - this.#drainedAt < heartbeatMs) return
    this.#drainedAt = clock.now()
    await this.#writeHeartbeat()
  }

  async stop(): Promise<void> {
    const isNode = this.#cancelHeartbeat !== undefined || this.#drainedAt > -Infinity
    this.#stop.abort()
    this.#cancelHeartbeat?.()
    await Promise.all([this.#pruning, this.#pruneWhenFull?.stop()])
    if (isNode) await this.#options.tend.leave(this.#node.id).catch(() => {}) // Without a heartbeat the inbox forgets it in two minutes.
  }

  async #heartbeat(): Promise<void> {
    const { clock, retention } = this.#options
    this.#cancelHeartbeat = clock.after(heartbeatMs, () => void this.#heartbeat())
    if (!(await this.#writeHeartbeat())) return
    await this.#watchIdleHandlers()
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

  /** A process without handlers delivers nothing, so time during which it runs alone is no idle time of a handler. Never rejects. */
  async #watchIdleHandlers(): Promise<void> {
    if (this.#node.handlers.length === 0 || this.#stop.signal.aborted) return
    try {
      await this.#idleHandlers.count()
    } catch (error) {
      this.#options.log.warn(
        { error: describeError(error) },
        'the idle time of handlers could not be counted; it is tried again',
      )
    }
  }

  /** Never rejects: after an error it is tried again with the next heartbeat. */
  async #prune(retention: Retention): Promise<void> {
    const { tend, clock, log } = this.#options
    const { signal } = this.#stop
    let events = 0
    let after: string | undefined
    try {
      do {
        if (signal.aborted || !(await tend.hold('prune', this.#node.id, dutyMs))) return
        const beganAt = clock.now()
        const step = await tend.prune(retention, after)
        events += step.events
        after = step.next
        // Pruning takes at most half of the time, so that it does not slow down receiving and delivering.
        if (after !== undefined)
          await pause(clock, Math.max(shortestPauseMs, clock.now() - beganAt), { signal })
      } while (after !== undefined)
      this.#prunedAt = clock.now()
      if (events > 0) log.info({ events }, 'events were pruned')
    } catch (error) {
      log.warn({ error: describeError(error) }, 'the inbox could not be pruned; it is tried again')
    }
  }
}
