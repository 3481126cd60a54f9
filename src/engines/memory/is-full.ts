import { isTransactional } from '../../events/catalogue.ts'
import type { Arrival } from '../../model/arrival.ts'
import { hasRoom, pressureLimit } from '../../model/has-room.ts'
import type { Store } from './store.ts'

/** Whether an event of this type is refused because of `maxBytes`. */
export function isFull(store: Store, { type }: Pick<Arrival, 'type'>): boolean {
  return store.maxBytes !== Infinity && !hasRoom(bytesOf(store), store.maxBytes, isTransactional(type))
}

/** Whether settled events should be pruned before their retention ends. */
export function isPressed(store: Store, maxBytes: number): boolean {
  return maxBytes !== Infinity && bytesOf(store) > pressureLimit(maxBytes)
}

function bytesOf({ events }: Store): number {
  return [...events.values()].reduce((sum, { arrival }) => sum + arrival.body.length, 0)
}
