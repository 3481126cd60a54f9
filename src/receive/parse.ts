import { type NotAnEvent, readEvent } from '../events/read-event.ts'
import type { ParsedEvent } from '../model/registered-handler.ts'
import { type Answer, refused } from './answer/answer.ts'
import type { Body } from './read-body.ts'

/**
 * The event in the body. What it says is no reason to refuse it; that it is none, is. It comes wrapped: an event whose members are named
 * like an answer's must not become one.
 */
export function parse(
  body: Body,
  renamed?: (misprint: string) => void,
): { readonly event: ParsedEvent } | Answer {
  const event = readEvent(body.bytes, () => Buffer.from(body.sha256(), 'base64').toString('hex'), renamed)
  return typeof event === 'string' ? answers[event] : { event }
}

const answers: Readonly<Record<NotAnEvent, Answer>> = {
  'not JSON': refused(400, 'invalidJSON', 'The body is not JSON in UTF-8.'),
  'no event': refused(400, 'noEvent', 'The body is not {"event":{…}}.'),
  'no type': refused(400, 'noType', 'The event has no type.'),
}
