/** The result of one step of an erasure. */
export interface ErasedStep {
  /** Events that lost their body in this step. */
  readonly events: number
  /** Pending and leased deliveries that this step ended. */
  readonly deliveries: number
  /** The `after` of the next step; absent when no query finds an event of the person any more. */
  readonly next?: string
}

/**
 * What became of the erased bytes. `scrubbed`: no file of the inbox holds them. `pending`: a process that reads an older snapshot of the file
 * still holds them, or samples of values that PostgreSQL took for its planner do; erase again later. `remnants`: unused space of a file still
 * holds a copy, until the inbox is compacted. `overwritten later`: no query finds them; the store overwrites them in its own time.
 */
export type Scrubbed = 'scrubbed' | 'pending' | 'remnants' | 'overwritten later'
