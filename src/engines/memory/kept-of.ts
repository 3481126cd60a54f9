import type { DeliveryState } from '../../model/delivery-state.ts'
import type { Arrival } from '../../model/arrival.ts'
import type { Kept } from '../../model/kept.ts'
import type { HandlerStats } from '../../model/stats.ts'
import type { Delivery, StoredEvent, Queue, Store } from './store.ts'

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

export function keptSetAsideOf({ kind, arrival }: Store['asides'][number], bodies: boolean): Kept {
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

export function queueStats({ subscription, intake, heads, lanes, dead, abandonedAt }: Queue): HandlerStats {
  const parked = [...lanes.values()].flatMap((lane) => lane.slice(1))
  const pending = [...intake, ...heads, ...parked]
  const oldest = pending.toSorted((a, b) => a.event.position - b.event.position)[0]
  return {
    handler: subscription.handler,
    pending: pending.length,
    dead: dead.size,
    ...(oldest !== undefined && { oldestPendingAt: oldest.event.arrival.receivedAt }),
    ...(abandonedAt !== undefined && { abandonedAt }),
  }
}
