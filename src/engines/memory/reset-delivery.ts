import { addToIntake } from './add-delivery.ts'
import type { Delivery } from './store.ts'

/** Makes an ended delivery pending again, as if it had never been attempted. */
export function resetDelivery(delivery: Delivery): void {
  delivery.queue.dead.delete(delivery)
  delivery.state = 'waiting'
  delivery.attempts = 0
  delivery.crashes = 0
  delivery.company = 0
  delete delivery.failingSince // A person expects it to succeed now, so the time until it is given up starts again.
  delivery.failures = []
  delete delivery.reason
  addToIntake(delivery)
}
