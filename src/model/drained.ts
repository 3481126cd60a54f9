/** What `drain` did, and what is left. */
export interface Drained {
  /** Deliveries whose handler succeeded, or whose `where` said no. */
  readonly succeeded: number
  /** Failed, and due again later. */
  readonly retrying: number
  /** Given up: dead letters. */
  readonly dead: number
  /** Deliveries in the inbox that have not ended, due or not. */
  readonly remaining: number
}
