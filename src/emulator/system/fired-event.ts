import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import type { Fields } from '../fields.ts'
import type { Level } from './level.ts'

/** An event before it has an id and a time. */
export interface FiredEvent {
  readonly type: EventType
  /** Missing for an event of the whole instance. */
  readonly tenantId?: string | undefined
  readonly linkedObjectId?: string | undefined
  /** The applications it is about. FusionAuth 1.36 chooses receivers by them. */
  readonly applicationIds?: readonly string[] | undefined
  /** The transaction level of a user action, which it had until FusionAuth 1.36. */
  readonly level?: Level | undefined
  /** Its `.complete` event may be sent before the commit (fusionauth-issues #2233). */
  readonly early?: boolean | undefined
  readonly fields: Fields
}

/** An event with id, time and bytes: the same for every receiver and attempt. */
export interface StampedEvent {
  readonly id: string
  readonly type: EventType
  readonly createInstant: number
  readonly linkedObjectId?: string | undefined
  readonly body: Buffer
}

/** Adds id, time and bytes to an event. Its own fields take precedence, for events that are written by hand. */
export function stampEvent(fired: FiredEvent, info: Fields | undefined, now: number): StampedEvent {
  const event = {
    createInstant: now,
    id: randomUUID(),
    info,
    linkedObjectId: fired.linkedObjectId,
    tenantId: fired.tenantId,
    ...fired.fields,
    type: fired.type,
  }
  const { id, createInstant, linkedObjectId } = event
  return { id, createInstant, linkedObjectId, type: fired.type, body: Buffer.from(JSON.stringify({ event })) }
}
