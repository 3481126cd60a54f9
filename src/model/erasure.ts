/** Whose events are to disappear. */
export interface Person {
  readonly userId: string
  /** Only in this tenant. Default: in all. */
  readonly tenantId?: string
}

/** One step of an erasure. */
export interface ErasedStep {
  /** Events that lost their body with it. */
  readonly events: number
  /** Deliveries that ended with it, because they had not. */
  readonly deliveries: number
  /** Goes on from here; absent when no more of the person can be reached by a query. */
  readonly next?: string
}

/**
 * What became of the bytes. `scrubbed`: no file of the inbox holds them. `pending`: erased, but a process that reads keeps an older
 * state of the file alive, or samples of values that PostgreSQL took for its planner hold it; ask again. `remnants`: erased, but unused space of a file still holds a copy, until it is compacted.
 * `overwritten later`: no query reaches them; the store overwrites them in its own time.
 */
export type Scrubbed = 'scrubbed' | 'pending' | 'remnants' | 'overwritten later'
