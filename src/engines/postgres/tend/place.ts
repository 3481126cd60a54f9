/** Where the row of an event is: its position in the inbox, and its instant, by which the table is partitioned. */
export interface Place {
  readonly position: number
  /** `createInstant`, epoch ms. */
  readonly created: number
}
