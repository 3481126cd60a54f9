import { canonicalType, catalogue, isEventType } from '../events/catalogue.ts'
import type { EventType } from '../events/types.ts'
import { misused } from './failure.ts'
import { text } from './text.ts'

export const allTypes: readonly EventType[] = Object.keys(catalogue).filter(isEventType)

/** The event type of a name, which may be a misprint of FusionAuth's documentation. */
export function knownType(written: string): EventType {
  const type = canonicalType(written)
  if (isEventType(type)) return type
  throw misused(text`FusionAuth 1.69 has no event ${written}. ${suggestion(written)}`)
}

function suggestion(written: string): string {
  const [closest] = allTypes
    .map((type) => ({ type, distance: distanceBetween(written.slice(0, 64), type) }))
    .toSorted((a, b) => a.distance - b.distance)
  return closest !== undefined && closest.distance <= 4
    ? `Did you mean ${closest.type}?`
    : 'fusewire events lists all there are.'
}

/** The edit distance of two words: characters to add, remove or replace. */
function distanceBetween(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()]
  for (const [at, character] of Array.from(a).entries()) {
    const next = [at + 1]
    for (let index = 0; index < b.length; index++) {
      const replaced = (row[index] ?? 0) + (b[index] === character ? 0 : 1)
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
