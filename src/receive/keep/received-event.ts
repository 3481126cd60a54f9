import type { EventKey } from '../../model/event-key.ts'
import type { ParsedEvent } from '../../model/registered-handler.ts'
import type { Answer } from '../answer/answer.ts'
import type { Body } from '../read-body.ts'
import type { Deadline } from '../deadline.ts'

/** An authenticated event, before anything was decided about it. */
export interface ReceivedEvent {
  readonly event: ParsedEvent
  readonly key: EventKey
  readonly body: Body
  /** Epoch ms. */
  readonly receivedAt: number
  readonly deadline: Deadline
  /** To keep with the event. */
  readonly trace: string | undefined
}

/** What happens to an event that no gate refused: it is handled at once, or kept. */
export interface EventSink {
  /** Why nothing can be taken in now; asked before a body is read. */
  closed(): string | undefined
  /** The answer, if there is one before any gate runs: the event was accepted before, or nothing can be told now. */
  recall(accepted: ReceivedEvent): Answer | undefined | Promise<Answer | undefined>
  accept(accepted: ReceivedEvent): Answer | Promise<Answer>
  /** Told of an event that a gate refused. */
  refuse(accepted: ReceivedEvent, answer: Answer): Promise<void>
  /** The webhook stops: nothing is asked of the inbox any more. */
  stop?(): void
}
