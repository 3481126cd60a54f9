import { isEventType } from '../events/catalogue.ts'
import type { AttemptEnd } from '../model/observer.ts'

/** A type as a label: one of the catalogue's, or `other`. */
export function typeLabel(type: string): string {
  return isEventType(type) ? type : 'other'
}

/** An attempt's end as a label. An atomic handler's is a success like any other. */
export function outcomeLabel(end: AttemptEnd): string {
  if (typeof end === 'object') return end.kind
  return end === 'settled' ? 'succeeded' : end
}
