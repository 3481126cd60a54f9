/** The result of one drain. */
export interface Drained {
  readonly succeeded: number
  /** Failed, and due again later. */
  readonly retrying: number
  /** Became dead letters. */
  readonly dead: number
  /** Deliveries in the inbox that have not ended, due or not. */
  readonly remaining: number
}
