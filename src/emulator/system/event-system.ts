import { randomUUID } from 'node:crypto'
import { catalogue, isEventType } from '../../events/catalogue.ts'
import type { EventType } from '../../events/types.ts'
import { type Clock, longestMs } from '../../lib/clock.ts'
import { pause } from '../../lib/pause.ts'
import type { Fields } from '../fields.ts'
import { RowLocked } from '../state/overlay.ts'
import type { Webhook } from '../state/tables.ts'
import type { Store, StoreTransaction, WritableTables } from '../state/store.ts'
import { EventSender, type Receiver } from './event-sender.ts'
import { DiagnosticLog } from './diagnostic-log.ts'
import { stampEvent, type FiredEvent, type StampedEvent } from './fired-event.ts'
import { createEventRequest } from './event-request.ts'
import { passes, type Level } from './level.ts'
import { isAccepted, EventLog, type PostAttempt, type LogEntry } from './event-log.ts'
import type { EventRequest } from './event-request.ts'
import type { PostResult } from './http-sender.ts'
import { levelOf, receiversOf, type Compatibility } from './receivers-of.ts'
import type { Targets } from './targets.ts'

export interface Rules {
  readonly compatibility: Compatibility
  /** fusionauth-issues #2233: on an identity provider login `.complete` events go out before the commit. */
  readonly earlyComplete: boolean
}

/** What a change reads and writes. Changes are synchronous, so that one that meets a locked row can be undone and started again. */
export interface Transaction {
  readonly rows: WritableTables
  readonly now: number
  /** Transactional events are sent before the commit, in this order, and their `.complete` events after it. Other events are sent after the commit. */
  fire(fired: FiredEvent): void
}

/** How a transaction ended. */
export interface TransactionResult<T> {
  readonly committed: boolean
  readonly result: T
  /** Resolves to the events that had receivers, in order, when nothing more will be posted for them. Never rejects. */
  readonly settled: Promise<readonly Dispatch[]>
}

/** The sending of one event to its receivers. */
export interface Dispatch {
  readonly event: StampedEvent
  readonly level: Level
  readonly entry: LogEntry
  readonly receivers: readonly { readonly webhook: Webhook; readonly request: EventRequest }[]
  /** Whether each receiver accepted its first post, in their order. */
  readonly posted: Promise<readonly boolean[]>
}

const moreTries = 3
const lockWaitMs = 10_000

/** Thrown when another transaction has locked a row for longer than 10 s. */
export class LockTimeout extends Error {}

/**
 * FusionAuth's event system: finds the receivers and the transaction level of an event, posts it, commits or rolls back by the answers,
 * retries, and logs. Knows nothing of users or of the API.
 */
export class EventSystem {
  readonly log: EventLog = new EventLog()
  readonly diagnostics: DiagnosticLog = new DiagnosticLog()
  readonly sender: EventSender
  readonly #store: Store
  readonly #clock: Clock
  readonly #rules: Rules
  readonly #running = new Set<Promise<unknown>>()

  constructor(store: Store, clock: Clock, targets: Targets, rules: Rules) {
    this.#store = store
    this.#clock = clock
    this.#rules = rules
    this.sender = new EventSender(targets, clock)
  }

  /**
   * Runs a change as one transaction of FusionAuth. The answers to its events decide whether it is committed. When `change` throws, nothing is
   * sent and nothing changes.
   */
  async runTransaction<T>(change: (tx: Transaction) => T, info?: Fields): Promise<TransactionResult<T>> {
    const { transaction, fired, result } = await this.#begin(change)
    const dispatches: Dispatch[] = []
    const early = new Set<FiredEvent>()
    try {
      for (const one of fired.filter(({ type }) => catalogue[type].transactional)) {
        const dispatch = this.#dispatch(one, info)
        if (dispatch === undefined) continue
        dispatches.push(dispatch)
        const completion = completionOf(one)
        if (this.#rules.earlyComplete && one.early === true && completion !== undefined) {
          early.add(one)
          dispatches.push(...this.#sendAndConclude(completion, info))
        }
        // At level None FusionAuth does not wait for the answers.
        if (dispatch.level === 'None') continue
        const successes = (await dispatch.posted).filter(Boolean).length
        if (!passes(dispatch.level, dispatch.receivers.length, successes)) {
          this.#conclude(dispatches, 'Failed')
          const settled = Promise.all(dispatches.map((begun) => begun.posted)).then(() => dispatches)
          return { committed: false, result, settled: this.#tracked(settled) }
        }
      }
      transaction.commit()
    } finally {
      transaction.close()
    }
    this.#conclude(dispatches, 'Succeeded')
    const afterwards = fired.flatMap((one) => {
      if (!catalogue[one.type].transactional) return one
      return early.has(one) ? [] : (completionOf(one) ?? [])
    })
    return { committed: true, result, settled: this.#tracked(this.#settle(dispatches, afterwards, info)) }
  }

  /** Sends an event to one webhook and returns its answer. Like FusionAuth's test page, without a transaction and without a log entry. */
  async test(webhook: Webhook, fired: FiredEvent): Promise<PostResult & { readonly ms: number }> {
    const event = stampEvent(fired, undefined, this.now())
    const startedAt = this.#clock.now()
    const posted = await this.sender.send(
      webhook.id,
      createEventRequest(webhook, event.body, this.#store.tables),
    )
    return { ...posted, ms: Math.round(this.#clock.now() - startedAt) }
  }

  /** Hands a webhook's events to a function instead of posting them. */
  attach(webhookId: string, receiver: Receiver): void {
    this.sender.attach(webhookId, receiver)
  }

  now(): number {
    return Math.floor(this.#clock.now())
  }

  /** Calls back at an instant, however far away, and not a millisecond early: timers of node may be. */
  at(instant: number, call: () => void): void {
    const ms = Math.ceil(instant - this.#clock.now())
    if (ms <= 0) return call()
    this.#clock.after(Math.min(ms, longestMs), () => this.at(instant, call))
  }

  /** Resolves when nothing is left to post. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Aborts every post. Open transactions end as if their receivers had failed. */
  stop(): void {
    this.sender.stop()
  }

  async #begin<T>(
    change: (tx: Transaction) => T,
  ): Promise<{ transaction: StoreTransaction; fired: FiredEvent[]; result: T }> {
    const giveUpAt = this.#clock.now() + lockWaitMs
    for (;;) {
      const transaction = this.#store.begin()
      const fired: FiredEvent[] = []
      try {
        const tx: Transaction = {
          rows: transaction.tables,
          now: this.now(),
          fire: (one) => void fired.push(one),
        }
        return { transaction, fired, result: change(tx) }
      } catch (error) {
        transaction.close()
        if (!(error instanceof RowLocked)) throw error
        const left = giveUpAt - this.#clock.now()
        if (left <= 0) throw new LockTimeout('Another transaction holds a row this one needs.')
        await waitAtMost(this.#clock, left, error.until)
      }
    }
  }

  #dispatch(fired: FiredEvent, info: Fields | undefined): Dispatch | undefined {
    const rows = this.#store.tables
    const webhooks = receiversOf(fired, rows, this.#rules.compatibility)
    if (webhooks.length === 0) return undefined
    const event = stampEvent(fired, info, this.now())
    const retention = rows.system.get('system')?.webhookEventLogConfiguration
    const entry = this.log.begin(event, this.now(), retention)
    const receivers = webhooks.map((webhook) => ({
      webhook,
      request: createEventRequest(webhook, event.body, rows),
    }))
    const posted = Promise.all(
      receivers.map(({ webhook, request }) => this.#attempt(entry, webhook, request)),
    )
    return { event, level: levelOf(fired, rows, this.#rules.compatibility), entry, receivers, posted }
  }

  /** Sends an event whose answers are ignored: its log entry counts as succeeded as soon as it is sent. */
  #sendAndConclude(fired: FiredEvent, info: Fields | undefined): Dispatch[] {
    const dispatch = this.#dispatch(fired, info)
    if (dispatch === undefined) return []
    this.#conclude([dispatch], 'Succeeded')
    return [dispatch]
  }

  /** After the commit: retries failed posts, and sends the remaining events, one after the other. */
  async #settle(
    dispatches: readonly Dispatch[],
    afterwards: readonly FiredEvent[],
    info: Fields | undefined,
  ): Promise<Dispatch[]> {
    const retries = dispatches.map((dispatch) => this.#retry(dispatch))
    const all = [...dispatches]
    await Promise.all(dispatches.map((dispatch) => dispatch.posted))
    for (const fired of afterwards) {
      const started = this.#sendAndConclude(fired, info)
      all.push(...started)
      for (const dispatch of started) await dispatch.posted
    }
    await Promise.all(retries)
    return all
  }

  /** Up to three more attempts without a pause, for each receiver that failed in a transaction that was committed. */
  async #retry(dispatch: Dispatch): Promise<void> {
    if (dispatch.level === 'None') return
    const first = await dispatch.posted
    const failed = dispatch.receivers.filter((_, index) => first[index] === false)
    await Promise.all(
      failed.map(async ({ webhook, request }) => {
        for (let attempt = 0; attempt < moreTries; attempt += 1) {
          if (await this.#attempt(dispatch.entry, webhook, request)) return
        }
      }),
    )
  }

  async #attempt(entry: LogEntry, webhook: Webhook, request: EventRequest): Promise<boolean> {
    const startInstant = this.now()
    const { statusCode, exception } = await this.sender.send(webhook.id, request)
    const endInstant = this.now()
    const attempt: PostAttempt = {
      id: randomUUID(),
      webhookId: webhook.id,
      url: webhook.url,
      startInstant,
      endInstant,
      ...(statusCode !== undefined && { statusCode }),
      ...(exception !== undefined && { exception }),
    }
    entry.attempts.push(attempt)
    entry.lastUpdateInstant = endInstant
    if (!isAccepted(attempt)) this.#report(entry.eventType, attempt)
    return isAccepted(attempt)
  }

  /** A failed post makes an entry in the system's event log, which is an event itself; but not when an event of that type failed (#1945). */
  #report(type: EventType, attempt: PostAttempt): void {
    const why = attempt.statusCode === undefined ? attempt.exception : `status code [${attempt.statusCode}]`
    const message = `The [${type}] event was not accepted by the webhook [${attempt.webhookId}]: ${why}`
    const eventLog = this.diagnostics.write('Error', message, this.now())
    if (type === 'event-log.create' || this.sender.stopped) return
    const dispatches = this.#sendAndConclude({ type: 'event-log.create', fields: { eventLog } }, undefined)
    for (const dispatch of dispatches) void this.#tracked(dispatch.posted)
  }

  #conclude(dispatches: readonly Dispatch[], result: LogEntry['result']): void {
    for (const { entry } of dispatches) {
      entry.result = result
      entry.lastUpdateInstant = this.now()
    }
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    const running = work.finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }
}

/** The `.complete` event that reports the commit of this event, if its type has one. */
function completionOf(fired: FiredEvent): FiredEvent | undefined {
  const type = `${fired.type}.complete`
  return isEventType(type) ? { ...fired, type } : undefined
}

async function waitAtMost(clock: Clock, ms: number, until: Promise<void>): Promise<void> {
  const done = new AbortController()
  await Promise.race([until, pause(clock, ms, { signal: done.signal, keepsProcess: false })])
  done.abort()
}
