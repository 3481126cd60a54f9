import { catalogue, isEventType } from './catalogue.ts'
import type { ParsedEvent } from '../model/parsed-event.ts'
import { valuesAt } from './values-at.ts'

/** The first path that the event's type promises and the event lacks; undefined when it has all of them. */
export function missingPath(event: ParsedEvent): string | undefined {
  if (!isEventType(event.type)) return undefined
  return catalogue[event.type].promised.find(
    (path) => !valuesAt(event, path).every((value) => holds(path, value)),
  )
}

function holds(path: string, value: unknown): boolean {
  return path.endsWith('.id')
    ? typeof value === 'string' && value !== ''
    : typeof value === 'object' && value !== null
}
