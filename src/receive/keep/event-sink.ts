import type { Answer } from '../answer/answer.ts'
import type { ReceivedEvent } from '../received-event.ts'

/** Where accepted events go: into an inbox, or, with `inbox: 'none'`, straight to the handlers. */
export interface EventSink {
  /** Why no event can be accepted now. Checked before a body is read. */
  closed(): string | undefined
  /** The answer to an event that was accepted before, or that cannot be accepted now. Undefined: the gates are asked. */
  findKnown(event: ReceivedEvent): Answer | undefined | Promise<Answer | undefined>
  /** Stores the event or runs its handlers. */
  accept(event: ReceivedEvent): Answer | Promise<Answer>
  /** Records that a gate refused the event. */
  refuse(event: ReceivedEvent, answer: Answer): Promise<void>
  /** The webhook stops: sends no more probes to an inbox that is down. */
  stop?(): void
}
