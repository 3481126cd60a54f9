import { keyText } from '../model/event-key.ts'
import type { Answer } from './answer/answer.ts'
import type { ReceivedEvent } from './received-event.ts'

/**
 * Decides about an event. A copy with the same bytes that arrives before the decision gets the same answer; the same event with other bytes
 * is decided separately. A decision made synchronously cannot overlap with a copy, so it is not entered in `deciding`.
 */
export function shareAnswer(
  event: ReceivedEvent,
  deciding: Map<string, Promise<Answer>>,
  decide: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const inProgress = deciding.size === 0 ? undefined : deciding.get(copyText(event))
  if (inProgress !== undefined) return inProgress
  const answer = decide()
  if (!(answer instanceof Promise)) return answer
  const copy = copyText(event)
  const forget = () => deciding.delete(copy)
  answer.then(forget, forget)
  deciding.set(copy, answer)
  return answer
}

function copyText({ key, body }: ReceivedEvent): string {
  return `${keyText(key)}/${body.sha256()}`
}
