import type { EventKey } from './event-key.ts'

/** How an event came to the inbox. */
export type Source = 'door' | 'reconcile' | 'manual'

/** An accepted event before it is appended to the inbox. Strings here are canonical; everything else stays in `body`. */
export interface Arrival {
  readonly key: EventKey
  /** At most 128 printable characters. */
  readonly type: string
  readonly source: Source
  /** When the request arrived, epoch ms. */
  readonly receivedAt: number
  /** SHA-256 of the body as it was received, 32 bytes: distinguishes a duplicate from a conflict. */
  readonly hash: Uint8Array
  /** The bytes to store. */
  readonly body: Uint8Array
  /** Events of one lane are handled in order, one at a time. Absent: in any order. */
  readonly lane?: string
  /** For the filters of subscriptions. */
  readonly applicationIds: readonly string[]
  /** Every user id in the event. A person's events are found and erased by them. */
  readonly subjects: readonly string[]
  /** The tracer's context, returned with each lease. */
  readonly trace?: string
  /** Why a gate refused the event; it is then stored without deliveries. */
  readonly refused?: string
  /**
   * What is stored when no subscription wants the event. `nothing`. `key`: key and hash without the body, so that a resend does not run a
   * gate again that has let the event pass. Absent: the whole event.
   */
  readonly ifUnwanted?: 'nothing' | 'key'
}

/** Identifies one copy of an event: two copies are the same when both the key and the bytes are equal. */
export type Copy = Pick<Arrival, 'key' | 'hash'>
