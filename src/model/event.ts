/**
 * What makes an event the same event: every copy FusionAuth sends, to every receiver and in every attempt, has these three alike.
 * All three are canonical (see `identify`): bounded, printable, safe as an index entry in any engine.
 */
export interface EventKey {
  /** `event.createInstant`, 0 when the sender gave none. Leads, because a random key makes appends slower as the inbox grows. */
  readonly createInstant: number
  /** `event.tenantId` in lower case, '' for an event of no tenant. */
  readonly tenantId: string
  /** `event.id` in lower case when it is a UUID, else `sha256:` and the hex hash of the id, or of the body when there is none. */
  readonly id: string
}

/** A key as one line of text. */
export function keyText({ createInstant, tenantId, id }: EventKey): string {
  return `${createInstant}/${tenantId}/${id}`
}

/** What one handler does about one event: the same in every attempt, whatever process makes it. */
export function idempotencyKey(key: EventKey, handler: string): string {
  return `${keyText(key)}/${handler}`
}

/** How an event came to the inbox. */
export type Source = 'door' | 'reconcile' | 'manual'

/** An accepted request's event on its way into the inbox. Strings here are canonical; whatever else it says is in `body`. */
export interface Arrival {
  readonly key: EventKey
  /** At most 128 printable characters. */
  readonly type: string
  readonly source: Source
  /** When the request arrived, epoch ms. */
  readonly receivedAt: number
  /** SHA-256 of the body as it was received, 32 bytes: tells a duplicate from a conflict. */
  readonly hash: Uint8Array
  /** The bytes to keep. */
  readonly body: Uint8Array
  /** Events of one lane are handled in order, one at a time. Absent: no order is kept. */
  readonly lane?: string
  /** For the filters of subscriptions. */
  readonly applicationIds: readonly string[]
  /** Every user id in the event: by these a person's events are found and erased. */
  readonly subjects: readonly string[]
  /** What a tracer wants back with each lease. */
  readonly trace?: string
  /** A gate's no, in words: the event is kept without deliveries. */
  readonly refused?: string
  /**
   * What is kept when no subscription wants it. `nothing`. `key`: key and hash without the body, so that a gate that let it pass is not asked
   * again by a resend. Absent: the whole event.
   */
  readonly ifUnwanted?: 'nothing' | 'key'
}

/** One request's copy of an event: two copies are the same when both the key and the bytes are equal. */
export type Copy = Pick<Arrival, 'key' | 'hash'>
