import { randomUUID } from 'node:crypto'
import type { EventType } from '../../events/types.ts'
import type { Fields } from '../json.ts'
import type { Level } from './levels.ts'

/** Something happened: what the event will say, before it has an id and a time. */
export interface Fired {
  readonly type: EventType
  /** Missing for an event of the whole instance. */
  readonly tenantId?: string | undefined
  readonly linkedObjectId?: string | undefined
  /** Which applications it is about, for the receivers of FusionAuth 1.36. */
  readonly applicationIds?: readonly string[] | undefined
  /** The level of its own that a user action had until FusionAuth 1.36. */
  readonly level?: Level | undefined
  /** Its `.complete` may go out before the commit (fusionauth-issues #2233). */
  readonly early?: boolean | undefined
  readonly fields: Fields
}

/** An event as every receiver gets it, in every attempt. */
export interface Sealed {
  readonly id: string
  readonly type: EventType
  readonly createInstant: number
  readonly linkedObjectId?: string | undefined
  readonly body: Buffer
}

/** Gives what happened its id, its time and its bytes. Fields of the same name win, for events somebody writes by hand. */
export function seal(fired: Fired, info: Fields | undefined, now: number): Sealed {
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
