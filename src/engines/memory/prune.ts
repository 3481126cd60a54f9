import { keyText } from '../../model/event-key.ts'
import {
  fateOf,
  keysOutliveMs,
  prunableUntil,
  type ReceivedBefore,
  type Retention,
} from '../../model/retention.ts'
import type { Pruned } from '../../model/tending.ts'
import { allCandidates, type Candidate, isSetAside, removeSetAside, stepAfter } from './candidate.ts'
import { isPressed } from './is-full.ts'
import { keptOf } from './kept-of.ts'
import type { Store, StoredEvent } from './store.ts'
import { blankEvent } from './store-event.ts'

/**
 * One step of pruning.
 *
 * @param now The judged time, epoch ms.
 */
export function prune(
  store: Store,
  what: Retention | ReceivedBefore,
  after: string | undefined,
  now: number,
): Pruned {
  const { items, ...page } = stepAfter(allCandidates(store), after)
  const pressed = isPressedBy(store, what)
  const pruned = items.filter((candidate) => pruneOne(store, candidate, what, now)).length
  return { ...page, events: pruned, pressed }
}

function isPressedBy(store: Store, what: Retention | ReceivedBefore): boolean {
  return 'maxBytes' in what && what.maxBytes !== undefined && isPressed(store, what.maxBytes)
}

/** Whether it was pruned and counts: keys do not count. */
function pruneOne(
  store: Store,
  candidate: Candidate,
  given: Retention | ReceivedBefore,
  now: number,
): boolean {
  const what = isPressedBy(store, given)
    ? { ...given, types: {}, settledMs: -Infinity, unhandledMs: -Infinity }
    : given
  const until = prunableUntil(what, now)
  const { key, type, receivedAt } = candidate.arrival
  if (isSetAside(candidate)) {
    if (receivedAt > until(type, 'aside')) return false
    removeSetAside(store, candidate)
    return true
  }
  if (candidate.gone === 'unwanted' && receivedAt <= until('', 'unhandled')) {
    store.events.delete(keyText(key))
    return false
  }
  if (candidate.gone !== undefined) {
    const since = key.createInstant === 0 ? receivedAt : key.createInstant
    if (now - since > keysOutliveMs) store.events.delete(keyText(key))
    return false
  }
  if (receivedAt > until(type, fateOf(keptOf(candidate, false)))) return false
  pruneEvent(store, candidate)
  return true
}

/** Leaves the key. A refused event leaves nothing, because it may come again and be accepted. */
function pruneEvent(store: Store, event: StoredEvent): void {
  for (const delivery of event.deliveries) delivery.queue.dead.delete(delivery)
  if (event.arrival.refused !== undefined) store.events.delete(keyText(event.arrival.key))
  event.deliveries = []
  blankEvent(event, 'pruned')
}
