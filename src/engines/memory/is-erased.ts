import type { Arrival } from '../../model/arrival.ts'
import type { Person } from '../../model/person.ts'
import type { Store } from './store.ts'

/** Whether the arrival names an erased person and is not newer than the erasure. */
export function isErased({ erased }: Store, { key, receivedAt, subjects }: Arrival): boolean {
  const at = key.createInstant === 0 ? receivedAt : key.createInstant
  return subjects.some((userId) =>
    [personText({ userId }), personText({ userId, tenantId: key.tenantId })].some(
      (person) => at <= (erased.get(person) ?? -Infinity),
    ),
  )
}

/** A person, in one tenant or in all, as the key of a map. */
export function personText({ userId, tenantId }: Person): string {
  return `${userId}/${tenantId ?? '*'}`
}
