/**
 * Identifies an event: all copies that FusionAuth sends of it, to every receiver and in every attempt, have the same three values.
 * They are canonical (see `identify`): bounded, printable, safe as an index entry in any engine.
 */
export interface EventKey {
  /** `event.createInstant`; 0 when the event has none. First in the key: a key that begins with random bytes makes appends slower as the inbox grows. */
  readonly createInstant: number
  /** `event.tenantId` in lower case; '' for an event of no tenant. */
  readonly tenantId: string
  /** `event.id` in lower case when it is a UUID, else `sha256:` and the hex hash of the id, or of the body when the event has no id. */
  readonly id: string
}

/** A key as one line of text. */
export function keyText({ createInstant, tenantId, id }: EventKey): string {
  return `${createInstant}/${tenantId}/${id}`
}

/** Identifies one handler's work on one event: the same in every attempt and in every process. */
export function idempotencyKey(key: EventKey, handler: string): string {
  return `${keyText(key)}/${handler}`
}
