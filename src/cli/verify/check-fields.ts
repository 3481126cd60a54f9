import { catalogue, isEventType } from '../../events/catalogue.ts'
import { missingPath } from '../../events/missing-path.ts'
import type { ParsedEvent } from '../../model/parsed-event.ts'
import type { Finding } from './finding.ts'

/** Whether the event has the fields that its type promises to gates and handlers. */
export function checkFields(event: ParsedEvent): Finding {
  if (!isEventType(event.type)) {
    return {
      verdict: 'not checked',
      says: 'this version does not know the type; it is kept like any other',
    }
  }
  const missing = missingPath(event)
  if (missing === undefined)
    return { verdict: 'holds', says: 'every field that the type promises is present' }
  const { transactional } = catalogue[event.type]
  const hint = transactional
    ? 'A gate is not asked, and answers 500; without a gate it is kept, and handlers do not run.'
    : 'It is kept, and handlers do not run.'
  return { verdict: 'fails', says: `${missing} is missing`, hint }
}
