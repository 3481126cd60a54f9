import { type NotAnEvent, readEvent } from '../events/read-event.ts'
import { type Answer, refused } from './answer/answer.ts'
import type { AuthenticatedRequest } from './authenticated-request.ts'
import { createDeadline } from './deadline.ts'
import { identify } from './identify.ts'
import type { ReadContext } from './receive-context.ts'
import type { ReceivedEvent } from './received-event.ts'

/** Reads the event in the body. Rejects only bodies that are not events; never rejects an event for its contents. */
export function parseEvent(
  { body, receivedAt, trace }: AuthenticatedRequest,
  context: Pick<ReadContext, 'answerWithinMs' | 'misprints' | 'clock' | 'log'>,
): ReceivedEvent | Answer {
  const hashHex = () => Buffer.from(body.sha256(), 'base64').toString('hex')
  const event = readEvent(body.bytes, hashHex, (misprint) => logMisprint(misprint, context))
  if (typeof event === 'string') return answers[event]
  const deadline = createDeadline(receivedAt, context.answerWithinMs, context.clock)
  return { event, key: identify(event), body, receivedAt, deadline, trace }
}

/** FusionAuth's documentation misspells some types. An operator should know which sender copied one. */
function logMisprint(misprint: string, { misprints, log }: Pick<ReadContext, 'misprints' | 'log'>): void {
  if (misprints.has(misprint)) return
  misprints.add(misprint)
  log.warn({ type: misprint }, 'an event type is a documented misspelling; it is treated as the correct type')
}

const answers: Readonly<Record<NotAnEvent, Answer>> = {
  'not JSON': refused(400, 'invalidJSON', 'The body is not JSON in UTF-8.'),
  'no event': refused(400, 'noEvent', 'The body is not {"event":{…}}.'),
  'no type': refused(400, 'noType', 'The event has no type.'),
}
