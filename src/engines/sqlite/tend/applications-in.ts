import { readEvent } from '../../../events/read-event.ts'
import { applicationsOf } from '../../../model/wants.ts'

/** The applications that an event names, read from its body: the tables do not hold them. */
export function applicationsIn(body: Uint8Array): readonly string[] {
  const event = readEvent(body, () => '')
  return typeof event === 'string' ? [] : applicationsOf(event)
}
