import type { Worker } from '../deliver/worker.ts'
import type { Clock } from '../lib/clock.ts'
import type { Engine } from '../model/engine.ts'
import type { IncomingRequest } from '../model/incoming-request.ts'
import type { Observer } from '../model/observer.ts'
import type { Answer } from '../receive/answer/answer.ts'

/** Where a `Webhook` has its `WebhookInternals`. Registered, so that two copies of the package find each other's. @internal */
export const internals: unique symbol = Symbol.for('fusewire.internals')

/** What other parts of this package use of a webhook, beside its public methods. */
export interface WebhookInternals {
  /** Answers a request that is no web-standard `Request`. Never rejects. */
  receive(request: IncomingRequest): Promise<Answer>
  /** Why events would be answered 503 now; undefined when they would be accepted. For readiness probes. */
  notReady(): string | undefined
  /** The first half of a stop: handlers end, and are aborted after `withinMs`. Events are still accepted. */
  stopDelivering(withinMs: number): Promise<void>
  /** Adds an observer. Call it before the webhook starts. */
  observe(observer: Observer): void
  /** Runs the same gates and handlers with another inbox and clock, and lets every sender in. For the test harness. */
  rehearse(inbox: Engine, clock: Clock): Promise<Rehearsal>
}

export interface Rehearsal {
  readonly receive: (request: Request) => Promise<Answer>
  /** Absent with `inbox: 'none'`. */
  readonly worker?: Worker
}
