import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { catalogue, isEventType } from '../../events/catalogue.ts'
import type { EventType } from '../../events/types.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Fields } from '../json.ts'
import { Busy } from '../state/draft.ts'
import type { Webhook } from '../state/rows.ts'
import type { Store, Transaction, Writing } from '../state/store.ts'
import { Courier, type Receiver } from './courier.ts'
import { DiagnosticLog } from './diagnostics.ts'
import { seal, type Fired, type Sealed } from './fired.ts'
import { letterTo } from './letter.ts'
import { passes, type Level } from './levels.ts'
import { accepted, EventLog, type Attempt, type Entry } from './log.ts'
import type { Letter, Posted } from './post.ts'
import { levelOf, receiversOf, type Compatibility } from './receivers.ts'
import type { Targets } from './targets.ts'

export interface Rules {
  readonly compatibility: Compatibility
  /** fusionauth-issues #2233: on an identity provider login `.complete` events go out before the commit. */
  readonly earlyComplete: boolean
}

/** A transaction while it is being made up: synchronous, so that it can be thrown away and started over. */
export interface Draft {
  readonly rows: Writing
  readonly now: number
  /** Transactional events go out before the commit, in this order, each followed after the commit by its `.complete`; others after it. */
  fire(fired: Fired): void
}

/** How a change ended. */
export interface Operated<T> {
  readonly committed: boolean
  readonly result: T
  /** Resolves when nothing more will be posted for it: the events that had receivers, in order. Never rejects. */
  readonly settled: Promise<readonly Round[]>
}

/** One event on its way to its receivers. */
export interface Round {
  readonly event: Sealed
  readonly level: Level
  readonly entry: Entry
  readonly receivers: readonly { readonly webhook: Webhook; readonly letter: Letter }[]
  /** The first post to each receiver, in their order: whether it was accepted. */
  readonly posted: Promise<readonly boolean[]>
}

const moreTries = 3
const lockWaitMs = 10_000

/** Thrown when another transaction held a row for too long. */
export class Conflict extends Error {}

/**
 * FusionAuth's event system: decides who receives an event and at which level, posts, judges the answers, commits or rolls back, retries,
 * and logs. Knows nothing of users or of the API.
 */
export class EventSystem {
  readonly log: EventLog = new EventLog()
  readonly diagnostics: DiagnosticLog = new DiagnosticLog()
  readonly courier: Courier
  readonly #store: Store
  readonly #clock: Clock
  readonly #rules: Rules
  readonly #running = new Set<Promise<unknown>>()

  constructor(store: Store, clock: Clock, targets: Targets, rules: Rules) {
    this.#store = store
    this.#clock = clock
    this.#rules = rules
    this.courier = new Courier(targets)
  }

  /**
   * Runs a change as one transaction of FusionAuth's. Its events decide whether it is committed; an error thrown by `change` fires
   * nothing and changes nothing.
   */
  async operate<T>(change: (draft: Draft) => T, info?: Fields): Promise<Operated<T>> {
    const { transaction, fired, result } = await this.#draft(change)
    const rounds: Round[] = []
    const early = new Set<Fired>()
    try {
      for (const one of fired.filter(({ type }) => catalogue[type].transactional)) {
        const round = this.#start(one, info)
        if (round === undefined) continue
        rounds.push(round)
        const completion = completionOf(one)
        if (this.#rules.earlyComplete && one.early === true && completion !== undefined) {
          early.add(one)
          rounds.push(...this.#started(completion, info))
        }
        // At None FusionAuth does not wait for anybody.
        if (round.level === 'None') continue
        const successes = (await round.posted).filter(Boolean).length
        if (!passes(round.level, round.receivers.length, successes)) {
          this.#conclude(rounds, 'Failed')
          const settled = Promise.all(rounds.map((begun) => begun.posted)).then(() => rounds)
          return { committed: false, result, settled: this.#tracked(settled) }
        }
      }
      transaction.commit()
    } finally {
      transaction.close()
    }
    this.#conclude(rounds, 'Succeeded')
    const afterwards = fired.flatMap((one) => {
      if (!catalogue[one.type].transactional) return one
      return early.has(one) ? [] : (completionOf(one) ?? [])
    })
    return { committed: true, result, settled: this.#tracked(this.#settle(rounds, afterwards, info)) }
  }

  /** Sends an event to one webhook and shows its answer. Like FusionAuth's test page it asks no gate and is not logged. */
  async test(webhook: Webhook, fired: Fired): Promise<Posted & { readonly ms: number }> {
    const event = seal(fired, undefined, this.now())
    const startedAt = this.#clock.now()
    const posted = await this.courier.deliver(webhook.id, letterTo(webhook, event.body, this.#store.reading))
    return { ...posted, ms: Math.round(this.#clock.now() - startedAt) }
  }

  /** Hands a webhook's events to a function instead of posting them. */
  attach(webhookId: string, receiver: Receiver): void {
    this.courier.attach(webhookId, receiver)
  }

  now(): number {
    return Math.floor(this.#clock.now())
  }

  /** Calls back at an instant, however far, and not a millisecond before. */
  at(instant: number, call: () => void): void {
    const ms = Math.ceil(instant - this.#clock.now())
    if (ms <= 0) return call()
    // setTimeout knows 24 days.
    this.#clock.after(Math.min(ms, 2 ** 31 - 1), () => this.at(instant, call))
  }

  /** Resolves when nothing is left to post. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Breaks off every post. Transactions still open end as if their receivers had failed. */
  stop(): void {
    this.courier.stop()
  }

  async #draft<T>(
    change: (draft: Draft) => T,
  ): Promise<{ transaction: Transaction; fired: Fired[]; result: T }> {
    const giveUpAt = this.#clock.now() + lockWaitMs
    for (;;) {
      const transaction = this.#store.begin()
      const fired: Fired[] = []
      try {
        const draft: Draft = {
          rows: transaction.writing,
          now: this.now(),
          fire: (one) => void fired.push(one),
        }
        return { transaction, fired, result: change(draft) }
      } catch (error) {
        transaction.close()
        if (!(error instanceof Busy)) throw error
        const left = giveUpAt - this.#clock.now()
        if (left <= 0) throw new Conflict('Another transaction holds a row this one needs.')
        await Promise.race([error.until, sleep(left, undefined, { ref: false })])
      }
    }
  }

  #start(fired: Fired, info: Fields | undefined): Round | undefined {
    const rows = this.#store.reading
    const webhooks = receiversOf(fired, rows, this.#rules.compatibility)
    if (webhooks.length === 0) return undefined
    const event = seal(fired, info, this.now())
    const retention = rows.system.get('system')?.webhookEventLogConfiguration
    const entry = this.log.begin(event, this.now(), retention)
    const receivers = webhooks.map((webhook) => ({ webhook, letter: letterTo(webhook, event.body, rows) }))
    const posted = Promise.all(receivers.map(({ webhook, letter }) => this.#attempt(entry, webhook, letter)))
    return { event, level: levelOf(fired, rows, this.#rules.compatibility), entry, receivers, posted }
  }

  /** Starts an event that nobody's answer can stop: its log entry succeeds as soon as it is sent, whatever comes back. */
  #started(fired: Fired, info: Fields | undefined): Round[] {
    const round = this.#start(fired, info)
    if (round === undefined) return []
    this.#conclude([round], 'Succeeded')
    return [round]
  }

  /** After the commit: tries again where it is due, and sends the rest, one event after the other. */
  async #settle(
    rounds: readonly Round[],
    afterwards: readonly Fired[],
    info: Fields | undefined,
  ): Promise<Round[]> {
    const retries = rounds.map((round) => this.#retry(round))
    const all = [...rounds]
    await Promise.all(rounds.map((round) => round.posted))
    for (const fired of afterwards) {
      const started = this.#started(fired, info)
      all.push(...started)
      for (const round of started) await round.posted
    }
    await Promise.all(retries)
    return all
  }

  /** Up to three more tries, back to back, for a receiver that failed in a transaction that passed. */
  async #retry(round: Round): Promise<void> {
    if (round.level === 'None') return
    const first = await round.posted
    const failed = round.receivers.filter((_, index) => first[index] === false)
    await Promise.all(
      failed.map(async ({ webhook, letter }) => {
        for (let attempt = 0; attempt < moreTries; attempt += 1) {
          if (await this.#attempt(round.entry, webhook, letter)) return
        }
      }),
    )
  }

  async #attempt(entry: Entry, webhook: Webhook, letter: Letter): Promise<boolean> {
    const startInstant = this.now()
    const { statusCode, exception } = await this.courier.deliver(webhook.id, letter)
    const endInstant = this.now()
    const attempt: Attempt = {
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
    if (!accepted(attempt)) this.#report(entry.eventType, attempt)
    return accepted(attempt)
  }

  /** A failed post is an entry of the system's event log, and that is an event; but not for a failed event of that very type (#1945). */
  #report(type: EventType, attempt: Attempt): void {
    const why = attempt.statusCode === undefined ? attempt.exception : `status code [${attempt.statusCode}]`
    const message = `The [${type}] event was not accepted by the webhook [${attempt.webhookId}]: ${why}`
    const eventLog = this.diagnostics.write('Error', message, this.now())
    if (type === 'event-log.create' || this.courier.stopped) return
    const rounds = this.#started({ type: 'event-log.create', fields: { eventLog } }, undefined)
    for (const round of rounds) void this.#tracked(round.posted)
  }

  #conclude(rounds: readonly Round[], result: Entry['result']): void {
    for (const { entry } of rounds) {
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

/** The `.complete` event that reports the commit of this one, if its type has one. */
function completionOf(fired: Fired): Fired | undefined {
  const type = `${fired.type}.complete`
  return isEventType(type) ? { ...fired, type } : undefined
}
