import type { AbandonStep, IdleHandler } from './idle-handler.ts'
import type { ErasedStep, Scrubbed } from './erased-step.ts'
import type { Person } from './person.ts'
import type { Filter } from './filter.ts'
import type { Kept } from './kept.ts'
import type { Receipt } from './receipt.ts'
import type { ReceivedBefore, Retention } from './retention.ts'
import type { Node, Overview } from './stats.ts'

/**
 * Finding, replaying, pruning and erasing events, and the upkeep of an inbox. Every call does a bounded amount of work (about 500 rows) and
 * returns where to continue, so that a caller can stop between two calls and other work does not wait long. `after` is the `next` of an
 * earlier call with the same arguments; it stays valid across restarts.
 */
export interface Tending {
  /** A page of events. It may be short or even empty and still have a `next`, because the number of rows that one call reads is limited. */
  find(where: Filter, paging: Paging): Promise<Page<Kept>>

  /** Counts of the whole inbox. Not a consistent snapshot: it is counted in steps. */
  overview(): Promise<Overview>

  /**
   * Makes the ended deliveries that match the filter pending, oldest event first, as if they had never been attempted. If the filter names a
   * handler, or a state of events without deliveries, it also creates deliveries that a subscription wants and that do not exist yet.
   * Pending and leased deliveries stay as they are. A replayed delivery takes its event's place in its lane.
   */
  replay(where: Filter, after?: string): Promise<Replayed>

  /**
   * Deletes body, deliveries and errors of events, oldest first, whose retention has ended or that were received before an instant. The event's
   * key stays, so that a resend is recognised; it is deleted after `keysOutliveMs`.
   */
  prune(what: Retention | ReceivedBefore, after?: string): Promise<Pruned>

  /**
   * Deletes the bodies of events that name a person, ends their deliveries as `erased`, and stores a keyed hash of the person, so that older
   * events of the person are stored without their body when they are received again.
   */
  erase(person: Person, after?: string): Promise<ErasedStep>

  /**
   * Stores a note about the erasure of a person until `endErasure`, under a keyed hash of the person, and replaces an earlier note. From now on
   * older events of the person are stored without their body.
   */
  noteErasure(person: Person, note: Uint8Array): Promise<void>

  /** The note of an erasure that has not ended. */
  findErasureNote(person: Person): Promise<Uint8Array | undefined>

  /** Deletes the note. Older events of the person are still stored without their body. */
  endErasure(person: Person): Promise<void>

  /**
   * Removes erased bytes from the store's files, as far as that is possible now, and looks for texts that may not be left. `compact` rewrites
   * the whole store first; meanwhile it accepts no events.
   */
  scrub(gone: readonly string[], options?: { readonly compact?: boolean }): Promise<Scrubbed>

  /** Stores receipts, the last `receiptLimit` of them. Not synced to disk: a power loss may lose them. */
  record(receipts: readonly Receipt[]): Promise<void>

  /** Newest first. */
  receipts(paging: Paging): Promise<Page<Receipt>>

  /** Writes a heartbeat of a process. `leave` removes the process. */
  beat(node: Node): Promise<void>
  leave(nodeId: string): Promise<void>

  /**
   * Adds `ms` to the idle time of every handler that no process runs; `beat` and `subscribe` reset it for the handlers that they name. A handler
   * whose idle time reaches `abandonAfterMs` is abandoned: `append` and `replay` create no deliveries for it until it is subscribed again or a
   * process that runs it writes a heartbeat. One process at a time calls this.
   */
  countIdle(ms: number): Promise<readonly IdleHandler[]>

  /** Ends pending deliveries of abandoned handlers as `abandoned`, about 500 per call. */
  abandon(): Promise<AbandonStep>

  /**
   * From now on `append` returns `full` for events that the store has no room for: see `Retention.maxBytes`.
   *
   * @param pressed Called after each append that found the store past the pressure limit, or full: settled events should be pruned now.
   */
  limit(maxBytes: number, pressed: () => void): void

  /** Takes or keeps a duty that one process has at a time, such as pruning. False: another process has it. */
  hold(duty: string, nodeId: string, forMs: number): Promise<boolean>
}

export interface Paging {
  readonly limit: number
  readonly after?: string
  /** Default: `newest` first. */
  readonly order?: 'newest' | 'oldest'
  /** With each event's bytes. Default: without. */
  readonly bodies?: boolean
}

/** A part of a list. */
export interface Page<T> {
  /** May be few or none although there is a `next`: each page looks at a bounded number of rows. */
  readonly items: readonly T[]
  /** Give it as `after` to get the next page; absent at the end. It stays good across restarts. */
  readonly next?: string
}

export interface Replayed {
  /** Made pending. */
  readonly deliveries: number
  readonly next?: string
}

export interface Pruned {
  readonly events: number
  readonly next?: string
  /** Whether the store was past the pressure limit of `maxBytes` when this step began. Absent: it has none. */
  readonly pressed?: boolean
}
