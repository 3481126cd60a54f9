import type { FusionAuthEvent } from '../events/types.ts'
import type { Scrubbed } from '../model/erased-step.ts'
import type { Filter } from '../model/filter.ts'
import type { Kept } from '../model/kept.ts'
import type { Person } from '../model/person.ts'
import type { Receipt } from '../model/receipt.ts'
import type { Overview } from '../model/stats.ts'
import type { Page } from '../model/tending.ts'

/**
 * Reads, replays, prunes and erases the events of an inbox, from any process that can open it. Everything works in small steps, so that
 * receiving and delivering are not slowed down. Long work can be stopped by a signal between two steps, and continued later.
 */
export interface Inbox {
  /**
   * Every event that matches the filter, newest first, with its body. Reads pages of 100: an event that is received meanwhile may be missing.
   *
   * @example
   * for await (const { type, key, deliveries } of webhook.inbox.find({ state: 'dead' })) {
   *   console.log(type, key.id, deliveries)
   * }
   */
  find(where?: Filter, options?: FindOptions): AsyncIterable<KeptEvent>
  /**
   * One page of the events that match the filter, without bodies, for lists.
   *
   * @throws FW_OPTION when `limit` is not a whole number from 1 to 500.
   * @example
   * const first = await webhook.inbox.page({ type: 'user.delete' }, { limit: 20 })
   * if (first.next !== undefined) await webhook.inbox.page({ type: 'user.delete' }, { limit: 20, after: first.next })
   */
  page(where?: Filter, options?: PageOptions): Promise<Page<Kept>>
  /**
   * One event with its body, by FusionAuth's id; undefined when there is none. If several have this id (of two tenants, or sent with another
   * `createInstant`), the newest.
   *
   * @example
   * const kept = await webhook.inbox.get('3f2504e0-4f89-11d3-9a0c-0305e82c3301')
   * if (kept?.event?.type === 'user.create') console.log(kept.event.user.id)
   */
  get(id: string, tenantId?: string): Promise<KeptEvent | undefined>
  /**
   * Counts by type and by handler, blocked lanes, and the processes that work on the inbox.
   *
   * @example
   * const { handlers } = await webhook.inbox.stats()
   * for (const { handler, dead } of handlers) if (dead > 0) console.warn(`${handler}: ${dead} dead letters`)
   */
  stats(): Promise<Overview>
  /**
   * Runs handlers again: makes every ended delivery that matches the filter pending, oldest event first, in the order of its lane. If the
   * filter names a handler, that handler also gets the events that it wants and never got, for example because it was added later. Pending
   * deliveries stay as they are.
   *
   * @throws FW_OPTION for an empty filter, and for a handler that the inbox does not know.
   * @example
   * const { deliveries } = await webhook.inbox.replay({ state: 'dead', type: 'user.delete.complete' })
   */
  replay(where: Filter, options?: LongOptions): Promise<Replay>
  /**
   * Deletes the bodies and deliveries of events that have ended and were received before an instant, whatever their retention. Events with
   * pending deliveries stay.
   *
   * @throws FW_OPTION when `before` is no instant.
   * @example
   * const { events } = await webhook.inbox.prune({ before: new Date('2026-01-01'), dead: true })
   */
  prune(where: PruneOptions, options?: LongOptions): Promise<Prune>
  /**
   * Deletes every event that names a person, and reports which copies it cannot reach. If it is interrupted, the same call erases the rest,
   * also from another process.
   *
   * @throws FW_OPTION when an id is empty.
   * @example
   * const { events, bytes, unreached } = await webhook.inbox.erase({ userId: '00000000-0000-4000-8000-000000000001' })
   */
  erase(person: Person, options?: EraseOptions): Promise<Erasure>
  /**
   * Events as lines of JSON (without the newline), oldest first, with their bodies unchanged: as text in `body`, or in `bodyBase64` when the
   * bytes are not UTF-8.
   *
   * @example
   * for await (const line of webhook.inbox.export({ type: 'user.create' })) console.log(line)
   */
  export(where?: Filter, options?: LongOptions): AsyncIterable<string>
  /**
   * The answers to requests that stored no event, newest first. The inbox keeps the last 10,000.
   *
   * @throws FW_OPTION when `limit` is not a whole number from 1 to 500.
   * @example
   * const { items } = await webhook.inbox.receipts({ limit: 20 })
   * for (const { status, outcome, reason } of items) console.log(status, outcome, reason)
   */
  receipts(options?: PageOptions): Promise<Page<Receipt>>
  /**
   * Requests to this process that failed authentication since it started: their number, and a sample of one a second.
   *
   * @example
   * const { seen } = webhook.inbox.strangers()
   * if (seen > 0) console.warn(`${seen} requests had no valid credentials`)
   */
  strangers(): Strangers
}

/** Requests that failed authentication. */
export interface Strangers {
  /** Their number since the process started. */
  readonly seen: number
  /** Some of them, at most one a second, newest first. */
  readonly sample: readonly Receipt[]
}

/** An event with its body and the parsed event. */
export interface KeptEvent extends Kept {
  /** Absent when the body was deleted, or is not an event. */
  readonly event?: FusionAuthEvent
}

/** Options of work that takes many steps. */
export interface LongOptions {
  /** Stops the work after the current step. What was done stays done; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called after each step. */
  readonly onProgress?: (progress: Progress) => void
  /** Continues an earlier run: its last `progress.next`. */
  readonly after?: string
}

/** Progress of work that takes many steps. */
export interface Progress {
  /** Done so far: deliveries of a replay, otherwise events. */
  readonly done: number
  /** Absent at the end. */
  readonly next?: string
}

/** How `find` reads. */
export interface FindOptions {
  /** Stops the iteration after the current page, with the signal's reason as the error. */
  readonly signal?: AbortSignal
  /** Default: `newest` first. */
  readonly order?: 'newest' | 'oldest'
}

/** Options of one page. */
export interface PageOptions {
  /** Default: 50; at most 500. */
  readonly limit?: number
  /** The `next` of the page before. */
  readonly after?: string
  /** Default: `newest` first. */
  readonly order?: 'newest' | 'oldest'
}

/** Which events `prune` deletes. */
export interface PruneOptions {
  /** Events received before this instant: a date, or epoch ms. */
  readonly before: Date | number
  /** Dead letters too. Default: false. */
  readonly dead?: boolean
}

/** What a replay did. */
export interface Replay {
  /** Deliveries that were made pending. */
  readonly deliveries: number
}

/** What `prune` did. */
export interface Prune {
  /** Events whose body and deliveries were deleted. */
  readonly events: number
}

/** Options of an erasure. */
export interface EraseOptions {
  /** Stops the erasure after the current step; the promise rejects with the signal's reason. What was done stays done: erase again to continue. */
  readonly signal?: AbortSignal
  /** Called after each step, with the number of events so far. */
  readonly onProgress?: (progress: { readonly done: number; readonly next?: string }) => void
  /** Further login ids of the person, for events that name no user id. Those in the user's own events are found without this. */
  readonly loginIds?: readonly string[]
  /** Rewrites the store, so that its unused space holds no copy; no event can be received meanwhile. Default: false. */
  readonly compact?: boolean
}

/** The result of one call of `erase`. */
export interface Erasure {
  /** Events whose body, errors and lane were deleted. */
  readonly events: number
  /** Pending and leased deliveries that were ended. */
  readonly deliveries: number
  /** What became of the erased bytes in the files of the inbox. */
  readonly bytes: Scrubbed
  /** Copies that the inbox cannot reach. */
  readonly unreached: readonly string[]
}
