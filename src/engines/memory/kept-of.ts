import type { DeliveryState } from '../../model/delivery-state.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { Kept } from '../../model/kept.ts'
import type { Delivery, SetAside, StoredEvent } from './store.ts'

export function keptOf({ arrival, keptAt, gone, deliveries }: StoredEvent, bodies: boolean): Kept {
  return {
    ...keptArrival(arrival, bodies && gone === undefined),
    keptAt,
    ...(gone !== undefined && { gone }),
    deliveries: deliveries.map((delivery) => ({
      handler: delivery.queue.subscription.handler,
      state: stateOf(delivery),
      attempts: delivery.attempts,
      ...(delivery.reason !== undefined && { reason: delivery.reason }),
      failures: delivery.failures,
    })),
  }
}

export function keptSetAsideOf({ kind, arrival }: SetAside, bodies: boolean): Kept {
  return { ...keptArrival(arrival, bodies), aside: kind, deliveries: [] }
}

function keptArrival(arrival: Arrival, bodies: boolean): Omit<Kept, 'deliveries'> {
  const { key, type, source, receivedAt, body, refused } = arrival
  return {
    key,
    type,
    source,
    receivedAt,
    size: body.length,
    ...(bodies && { body }),
    ...(refused !== undefined && { refused }),
  }
}

function stateOf({ state, leased, reason }: Delivery): DeliveryState {
  if (reason === 'abandoned') return 'abandoned'
  if (state !== 'waiting') return state
  return leased ? 'leased' : 'pending'
}
