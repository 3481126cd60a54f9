import { type Delivery, addToIntake } from './store.ts'

/** Makes an ended delivery pending again, as if it had never been attempted. */
export function resetDelivery(delivery: Delivery): void {
  delivery.queue.dead.delete(delivery)
  delivery.state = 'waiting'
  delivery.attempts = 0
  delivery.crashes = 0
  delivery.company = 0
  delete delivery.failingSince // A person believes that it can succeed now: giving up starts anew.
  delivery.failures = []
  delete delivery.reason
  addToIntake(delivery)
}
