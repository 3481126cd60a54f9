import type { ErasedStep } from '../../model/erased-step.ts'
import type { Person } from '../../model/person.ts'
import { removeWaiting } from './add-delivery.ts'
import { allCandidates, type Candidate, isSetAside, removeSetAside, stepAfter } from './candidate.ts'
import { endHead } from './claim.ts'
import { personText } from './is-erased.ts'
import type { Store, StoredEvent } from './store.ts'
import { blankEvent } from './store-event.ts'

/** One step of an erasure. */
export function erase(store: Store, person: Person, after: string | undefined, now: number): ErasedStep {
  store.erased.set(personText(person), now)
  const { items, ...page } = stepAfter(allCandidates(store), after)
  const found = items.filter((candidate) => names(candidate, person))
  let deliveries = 0
  for (const candidate of found) {
    if (isSetAside(candidate)) removeSetAside(store, candidate)
    else {
      deliveries += endDeliveries(candidate, now)
      blankEvent(candidate, 'erased')
    }
  }
  return { ...page, events: found.length, deliveries }
}

function names({ arrival: { subjects, key } }: Candidate, { userId, tenantId }: Person): boolean {
  return subjects.includes(userId) && (tenantId === undefined || tenantId === key.tenantId)
}

/** Ends deliveries that have not ended, so that their lanes go on, and deletes the failures of all. Returns how many had not ended. */
function endDeliveries({ deliveries }: StoredEvent, now: number): number {
  const waiting = deliveries.filter(({ state }) => state === 'waiting')
  for (const delivery of waiting) {
    delivery.token++
    if (delivery.queue.heads.has(delivery)) endHead(delivery, 'succeeded', now, 'erased')
    else removeWaiting(delivery)
    delivery.state = 'succeeded'
    delivery.reason = 'erased'
  }
  for (const delivery of deliveries) {
    delivery.failures = []
    delivery.queue.dead.delete(delivery)
  }
  return waiting.length
}
