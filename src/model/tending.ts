import type { AbandonStep, IdleHandler } from './idle-handler.ts'
import type { ErasedStep, Scrubbed } from './erased-step.ts'
import type { Person } from './person.ts'
import type { Filter } from './filter.ts'
import type { Kept } from './kept.ts'
import type { Receipt } from './receipt.ts'
import type { ReceivedBefore, Retention } from './retention.ts'
import type { Node, Overview } from './stats.ts'

/**
 * What people ask of an inbox, and what keeps it small. Every call does a bounded amount of work (about 500 rows) and says where to go on,
 * so that whoever calls can stop between any two, and nothing else waits long. An `after` is what an earlier call gave as `next`, for the
 * same question; what was given before stays good across restarts.
 */
export interface Tending {
  /** A page of events. It may be short, or empty, and have a next one all the same: looking is bounded, too. */
  find(where: Filter, paging: Paging): Promise<Page<Kept>>

  /** Everything at a glance. Not a moment's state: counted in steps. */
  overview(): Promise<Overview>

  /**
   * Makes deliveries pending again, oldest event first, as if never attempted: those that have ended and fit. To a handler that is named,
   * or when the filter asks for events without deliveries, also those that a subscription wants and were never made. Waiting and leased
   * ones stay as they are. A replayed delivery takes its event's place in its lane.
   */
  replay(where: Filter, after?: string): Promise<Replayed>

  /**
   * Takes away, oldest first, what has outlived its retention, or what was received before an instant: body, deliveries, errors. The event's
   * key stays, so that a resend is known, and goes after `keysOutliveMs`.
   */
  prune(what: Retention | ReceivedBefore, after?: string): Promise<Pruned>

  /**
   * Blanks the events that name a person, ends their deliveries as `erased`, and remembers, as a keyed hash, that older events of the
   * person are to be blanked when they come again.
   */
  erase(person: Person, after?: string): Promise<ErasedStep>

  /**
   * Remembers a note about the erasure of a person until `endErasure`, under a keyed hash of the person, in place of an earlier note. From now
   * on older events of the person are blanked when they come.
   */
  noteErasure(person: Person, note: Uint8Array): Promise<void>

  /** The note of an erasure that has not ended. */
  findErasureNote(person: Person): Promise<Uint8Array | undefined>

  /** Forgets the note. Older events of the person are still blanked when they come. */
  endErasure(person: Person): Promise<void>

  /**
   * Gets erased bytes out of the store's files, as far as that can be done now, and looks for texts that must be gone. `compact` rewrites
   * the store first, which leaves nothing and stops it meanwhile.
   */
  scrub(gone: readonly string[], options?: { readonly compact?: boolean }): Promise<Scrubbed>

  /** Remembers receipts, in a ring of `receiptLimit`. Not worth a sync. */
  record(receipts: readonly Receipt[]): Promise<void>

  /** Newest first. */
  receipts(paging: Paging): Promise<Page<Receipt>>

  /** Says that a process is there. `leave` that it goes. */
  beat(node: Node): Promise<void>
  leave(nodeId: string): Promise<void>

  /**
   * Adds a time for which this process has been delivering to every handler that no node runs; `beat` and `subscribe` set it back for those that they name. A
   * handler that reaches `abandonAfterMs` is abandoned: `append` and `replay` make no deliveries for it, until it is subscribed again or a
   * node that runs it beats. One process at a time calls this.
   */
  countIdle(ms: number): Promise<readonly IdleHandler[]>

  /** Ends deliveries that wait for abandoned handlers as `abandoned`, about 500. */
  abandon(): Promise<AbandonStep>

  /**
   * From now on `append` answers `full` to what the store has no room for: see `Retention.maxBytes`.
   *
   * @param pressed Called after each append that met a store past the pressure limit, or full: settled events should be pruned now.
   */
  limit(maxBytes: number, pressed: () => void): void

  /** Takes or keeps a duty that one process has at a time, such as pruning. False: another has it. */
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
