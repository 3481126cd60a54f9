import { randomUUID } from 'node:crypto'
import type { Overrides } from '../events/samples/overrides.ts'
import { sampleEvent } from '../events/samples/sample-event.ts'
import type { EventMap, EventType } from '../events/types.ts'

/**
 * An event of this type as FusionAuth sends it, filled with made-up people, with your values in place. Each has an id of its own and
 * happened just now.
 *
 * @param overrides Values to put into the sample: objects are merged, arrays replaced.
 * @example
 * const { user } = sample('user.create', { user: { email: 'ada@example.com' } })
 */
export function sample<const T extends EventType>(
  type: T,
  overrides?: Overrides<Omit<EventMap[T], 'type'>>,
): EventMap[T] {
  const event = { ...sampleEvent(type), id: randomUUID(), createInstant: Date.now() }
  if (overrides !== undefined) overlay(event, overrides)
  return event
}

function overlay(target: object, overrides: object): void {
  for (const [key, value] of Object.entries(overrides)) {
    const present: unknown = Reflect.get(target, key)
    if (isRecord(value) && isRecord(present)) overlay(present, value)
    else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
