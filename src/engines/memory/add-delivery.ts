import type { Delivery, Queue, StoredEvent } from './store.ts'

/** Adds a delivery of this event to the handler's intake. */
export function addDelivery(event: StoredEvent, queue: Queue): void {
  const lane = queue.subscription.ordering === 'none' ? undefined : event.arrival.lane
  const delivery: Delivery = {
    event,
    queue,
    ...(lane !== undefined && { lane }),
    state: 'waiting',
    dueAt: 0,
    leased: false,
    token: 0,
    attempts: 0,
    crashes: 0,
    company: 0,
    failures: [],
  }
  event.deliveries.push(delivery)
  addToIntake(delivery)
}

/** In order of position: a replayed delivery may be older than the others. */
export function addToIntake(delivery: Delivery): void {
  const { intake } = delivery.queue
  const last = intake.at(-1)
  intake.push(delivery)
  if (last !== undefined && last.event.position > delivery.event.position) intake.sort(byPosition)
}

export function byPosition(a: Delivery, b: Delivery): number {
  return a.event.position - b.event.position
}

/** Removes a delivery that is not a head from the intake or from its lane. */
export function removeWaiting(delivery: Delivery): void {
  const { queue, lane } = delivery
  queue.intake = queue.intake.filter((one) => one !== delivery)
  const parked = lane === undefined ? undefined : queue.lanes.get(lane)
  const index = parked?.indexOf(delivery) ?? -1
  if (index > 0) parked?.splice(index, 1)
}
