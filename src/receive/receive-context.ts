import type { Clock } from '../lib/clock.ts'
import type { Log } from '../model/log.ts'
import type { Tracer } from '../model/observer.ts'
import type { RegisteredGate } from '../model/registered-gate.ts'
import type { Answer } from './answer/answer.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { BodyBudget } from './body-budget.ts'
import type { EventSink } from './keep/event-sink.ts'

/** What the steps need until the event is known. */
export interface ReadContext {
  readonly authenticator: Authenticator
  readonly bodyBudget: BodyBudget
  readonly sink: Pick<EventSink, 'closed'>
  /** From the arrival of a request's headers to the decision, in ms. */
  readonly answerWithinMs: number
  /** Misspelled event types that were logged, so that each is logged once. */
  readonly misprints: Set<string>
  readonly clock: Clock
  readonly log: Log
}

/** What all steps need. One webhook has one. */
export interface ReceiveContext extends ReadContext {
  readonly sink: EventSink
  /** By event type, in the order in which they are asked. */
  readonly gates: ReadonlyMap<string, readonly RegisteredGate[]>
  /** Decisions in progress, by `keyText` of the event and the hash of its bytes. */
  readonly deciding: Map<string, Promise<Answer>>
  readonly tracer?: Tracer
  /** Whether an observer counts every answer: then a 200 also names its event. */
  readonly observed: boolean
}
