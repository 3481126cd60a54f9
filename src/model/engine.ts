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
 * The methods are the interface that every engine implements and `engine-contract.ts` tests; they may change before 1.0.
 *
 * An engine reads its own clock and takes durations, not instants, so that all processes share the database's clock.
 * Every method rejects with the driver's error when the store does not answer; nothing is acknowledged then.
 */
export interface Engine<Sql = unknown, Result = unknown> extends AsyncDisposable {
  /** What atomic handlers of this engine are given and may return; in types only. @hidden */
  readonly [sql]?: { readonly handle: Sql; readonly result: Result }

  /** Opens files, connections and schema. Every other method opens the inbox first if necessary; a failed open may be repeated. @internal */
  open(): Promise<void>

  /**
   * Whether an open that failed with this error may succeed later without a change of configuration: the database is away or starting, the file
   * is locked. A wrong password, a missing role or a wrong path is not temporary. Absent: no error is temporary. @internal
   */
  isTemporary?(error: unknown): boolean

  /**
   * Stores subscriptions in the inbox: from now on `append` creates a delivery for each matching event, in every process.
   * A subscription of the same name is replaced. Only a person removes one. @internal
   */
  subscribe(subscriptions: readonly Subscription[]): Promise<void>

  /** Passes a log for messages to the operator. Without it the engine logs nothing. @internal */
  report?(log: Log): void

  /** Reports appends to an observer from now on. @internal */
  observe?(observer: Observer): void

  /**
   * Durable when it resolves: the event and one delivery for each matching subscription, in one transaction, in this order.
   * Returns one result per arrival, in the same order. An arrival that cannot be stored does not fail the others. @internal
   */
  append(arrivals: readonly Arrival[]): Promise<readonly Appended[]>

  /** Whether each of these is in the inbox, or was set aside, with the same bytes, and was not refused by a gate. @internal */
  known(copies: readonly Copy[]): Promise<readonly boolean[]>

  /** Whether the store has room for an event of this type. Default: yes. @internal */
  hasRoom?(type: string): Promise<boolean>

  /**
   * A durable write that changes nothing, to find out whether the inbox works again. Rejects when there is no room for this many `bytes`.
   * Default: 0. @internal
   */
  probe(bytes?: number): Promise<void>

  /**
   * Leases due deliveries, oldest due first: at most `limit` for each handler, and one of each lane at a time.
   *
   * A delivery whose lease expired unsettled is a suspect: it may have ended its process. While suspects are due, they are leased first and
   * without other deliveries, at most half of those that were leased together, until each has run alone or has ended. After three leases
   * that expired while it ran alone, a delivery becomes a dead letter `crashed`. A cut-off attempt counts: after `maxAttempts` of them the
   * delivery becomes a dead letter `interrupted`.
   *
   * @param suspectsBeside How many other leases the process holds while it would run the suspects. `none`: leases no suspects, only other
   *   deliveries. Default: 0.
   * @internal
   */
  claim(wants: readonly Want[], leaseMs: number, suspectsBeside?: SuspectsBeside): Promise<Claimed>

  /**
   * Extends leases, counted from now. `lost`: another worker may hold the delivery. The caller is alive, so for a lost lease that was
   * `alone` the crash is not counted. @internal
   */
  renew(leases: readonly Lease[], leaseMs: number): Promise<readonly ('renewed' | 'lost')[]>

  /** Gives leases back as if they had never been claimed: the deliveries are due at once, and the attempt is not counted. @internal */
  release(leases: readonly Lease[]): Promise<void>

  /**
   * Stores the outcomes of attempts. A lease that is no longer held gives `lost` and changes nothing, except that for one that was `alone`
   * the crash is not counted. @internal
   */
  settle(settlements: readonly Settlement[]): Promise<readonly Settled[]>

  /**
   * Runs `handle` in a transaction of the engine and settles the lease as succeeded in the same commit. Rejects with the error that `handle`
   * threw, after a rollback. Does not run `handle` when the lease is no longer held. Absent: the engine has no transactions. @internal
   */
  atomic?(lease: Lease, handle: (sql: Sql) => Result): Promise<Settled>

  /** Calls `wake` when a delivery may have become claimable, in any process. Calls are coalesced, may be spurious, and may come one polling
   * interval late. @internal */
  watch(wake: () => void): Disposable

  /** The event with its deliveries. @internal */
  get(key: EventKey): Promise<Kept | undefined>

  /** Counts for drain, health and metrics. @internal */
  stats(): Promise<Stats>

  /** Finding, replaying, pruning and erasing events. Absent: the engine only delivers. @internal */
  readonly tend?: Tending
}

/**
 * The result of one append.
 *
 * - `stored`: new, or earlier refused by a gate and now accepted.
 * - `duplicate`: the inbox has the event with the same body.
 * - `conflict`: the inbox has an event of this key with another body; this one is set aside without deliveries.
 * - `stale`: unknown, but so old that it may be a copy of an event whose key was deleted; set aside without deliveries.
 * - `quarantined`: the database rejected the row; only its bytes are stored, without deliveries.
 * - `unwanted`: no subscription wants it; stored as `ifUnwanted` says.
 * - `full`: not stored, because the store has no room.
 */
export type Appended = 'stored' | 'duplicate' | 'conflict' | 'stale' | 'quarantined' | 'unwanted' | 'full'

export interface Want {
  readonly handler: string
  readonly limit: number
  /** A delivery that was cut off in its attempt of this number is not attempted again. */
  readonly maxAttempts?: number
}

export type SuspectsBeside = number | 'none'

export interface Settlement {
  readonly lease: Lease
  readonly outcome: Outcome
}

export type Settled = 'settled' | 'lost'
