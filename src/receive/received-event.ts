import type { EventKey } from '../model/event-key.ts'
import type { ParsedEvent } from '../model/parsed-event.ts'
import type { Body } from './body.ts'
import type { Deadline } from './deadline.ts'

/** The event of an authenticated request, before the decision about it. */
export interface ReceivedEvent {
  readonly event: ParsedEvent
  readonly key: EventKey
  readonly body: Body
  /** When the request's headers arrived, epoch ms. */
  readonly receivedAt: number
  readonly deadline: Deadline
  /** A W3C `traceparent` to keep with the event, so that its attempts continue the trace. */
  readonly trace: string | undefined
}
