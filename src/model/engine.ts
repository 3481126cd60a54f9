import type { Claimed } from './claimed.ts'
import type { Lease } from './lease.ts'
import type { Outcome } from './outcome.ts'
import type { Subscription } from './subscription.ts'
import type { Arrival, Copy } from './arrival.ts'
import type { EventKey } from './event-key.ts'
import type { Kept } from './kept.ts'
import type { Log } from './log.ts'
import type { Observer } from './observer.ts'
import type { Stats } from './stats.ts'
import type { Tending } from './tending.ts'

declare const sql: unique symbol

/**
 * What keeps an inbox durable: `sqlite()`, `postgres()`, `memory()`. To its users it is opaque: pass it to `new Webhook`.
 * The methods are the port that every engine implements and `engine-contract.ts` tests; they may change before 1.0.
 *
 * An engine reads its clock itself and takes durations, never instants, so that a fleet shares the database's clock.
 * Every method rejects with the driver's error when the store cannot answer; nothing is then acknowledged.
 */
export interface Engine<Sql = unknown, Result = unknown> extends AsyncDisposable {
  readonly [sql]?: { readonly handle: Sql; readonly result: Result }

  /** Opens files, connections and schema. Every other method opens first by itself; a failed open may be tried again. @internal */
  open(): Promise<void>

  /**
   * Whether an open that failed with this error may succeed later without a change of configuration: the database is away or starting, the file
   * is locked. A wrong password, a missing role or a wrong path is not temporary. Absent: nothing is. @internal
   */
  isTemporary?(error: unknown): boolean

  /**
   * Makes subscriptions part of the inbox: from now on `append` gives each matching event a delivery, whichever process appends.
   * The same name again replaces its filters. Nothing but a person removes one. @internal
   */
  subscribe(subscriptions: readonly Subscription[]): Promise<void>

  /** Gives the engine a log, for what an operator should know. Default: it says nothing. @internal */
  report?(log: Log): void

  /** Tells an observer of its appends from now on. @internal */
  observe?(observer: Observer): void

  /**
   * Durable when it resolves: the event and one delivery for each matching subscription, in one transaction, in this order.
   * One answer per arrival, in the same order. A poison arrival never fails its neighbours. @internal
   */
  append(arrivals: readonly Arrival[]): Promise<readonly Appended[]>

  /** Which of these are in the inbox, or set aside, with the same bytes, and were not refused by a gate. @internal */
  known(copies: readonly Copy[]): Promise<readonly boolean[]>

  /** Whether an event of this type would be kept now, as far as room goes. Default: yes. @internal */
  hasRoom?(type: string): Promise<boolean>

  /**
   * A durable write that changes nothing, to learn whether the inbox works again. Rejects when there is no room for as many `bytes`.
   * Default: 0. @internal
   */
  probe(bytes?: number): Promise<void>

  /**
   * Leases due deliveries, oldest due first, at most `limit` for each handler, one at a time of each lane. Deliveries whose lease expired
   * unsettled are suspected of having ended their process. While any are due they go first and by themselves, at most half of those that
   * were leased together, until each has run alone or has ended; three leases that expire while it runs alone make a delivery a dead
   * letter `crashed`. A cut-off attempt counts: at `maxAttempts` of them the delivery is a dead letter `interrupted`.
   *
   * @param suspectsBeside How many leases the process holds beside suspects that this claim leases. `none` leases no suspects, only the
   *   others. Default: 0.
   * @internal
   */
  claim(wants: readonly Want[], leaseMs: number, suspectsBeside?: SuspectsBeside): Promise<Claimed>

  /**
   * Extends leases from now; `lost` says another worker may hold the delivery. The caller is alive, so for a lost lease that was `alone`
   * the crash is taken back. @internal
   */
  renew(leases: readonly Lease[], leaseMs: number): Promise<readonly ('renewed' | 'lost')[]>

  /** Gives leases back as if they had never been claimed: due at once, the attempt uncounted. @internal */
  release(leases: readonly Lease[]): Promise<void>

  /**
   * Ends attempts. A lease that is no longer held is told `lost` and changes nothing, but that for one that was `alone` the crash is taken
   * back. @internal
   */
  settle(settlements: readonly Settlement[]): Promise<readonly Settled[]>

  /**
   * Runs `handle` with the engine's own transaction and settles the lease as succeeded in the same commit. Rejects with what `handle`
   * threw, everything undone. A lease no longer held runs nothing. Absent where an engine has no transaction to offer. @internal
   */
  atomic?(lease: Lease, handle: (sql: Sql) => Result): Promise<Settled>

  /** Calls `wake` when a delivery may have become claimable, from whatever process. Coalesced, may be spurious, may be late by a poll. @internal */
  watch(wake: () => void): Disposable

  /** The event with its deliveries. @internal */
  get(key: EventKey): Promise<Kept | undefined>

  /** Counts for drain, health and metrics. @internal */
  stats(): Promise<Stats>

  /** What people ask of the inbox. @internal */
  readonly tend?: Tending
}

/**
 * `stored`: new, or refused by a gate before and now accepted. `duplicate`: known with the same body. `conflict`: known with another
 * body; this one is kept beside it without deliveries. `stale`: not known, but so old that it may be a copy of what was forgotten; kept
 * without deliveries. `quarantined`: no row of it can be stored but its bytes, without deliveries. `unwanted`: no subscription wants it; kept as `ifUnwanted` says. `full`: not kept, for want of room.
 */
export type Appended = 'stored' | 'duplicate' | 'conflict' | 'stale' | 'quarantined' | 'unwanted' | 'full'

export interface Want {
  readonly handler: string
  readonly limit: number
  /** After how many attempts one that was cut off is not followed by another. */
  readonly maxAttempts?: number
}

export type SuspectsBeside = number | 'none'

export interface Settlement {
  readonly lease: Lease
  readonly outcome: Outcome
}

export type Settled = 'settled' | 'lost'
