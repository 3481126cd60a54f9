import { streak } from './claim.ts'
import { type Delivery, takeIn } from './store.ts'

/** Makes an ended delivery pending again, as if it had never been attempted. */
export function again(delivery: Delivery): void {
  const { dead, failing } = delivery.queue
  dead.delete(delivery)
  failing.delete(streak(delivery)) // A person believes that it can succeed now: giving up starts anew.
  delivery.state = 'waiting'
  delivery.attempts = 0
  delivery.crashes = 0
  delivery.failures = []
  delete delivery.reason
  takeIn(delivery)
}
