import { Maintenance } from '../deliver/maintenance.ts'
import { NotStartedWarning } from '../deliver/not-started-warning.ts'
import { Worker } from '../deliver/worker.ts'
import type { Subscription } from '../model/subscription.ts'
import { type Observer, combineObservers } from '../model/observer.ts'
import type { RegisteredGate } from '../model/registered-gate.ts'
import type { RegisteredHandler } from '../model/registered-handler.ts'
import type { ResolvedOptions } from './resolve-options.ts'
import { createInlineSink } from '../receive/keep/inline-sink.ts'
import { createInboxSink } from '../receive/keep/inbox-sink.ts'
import { openTelemetry } from '../telemetry/open-telemetry.ts'
import type { ReceiveContext } from '../receive/receive-context.ts'

/** What a webhook consists of once its secrets have been read. */
export interface Opened {
  readonly receiving: ReceiveContext
  /** Opens the inbox and subscribes the handlers. Until then events are answered 503. Can be called again after a failure. */
  readonly openInbox: () => Promise<void>
  /** Absent, like the next two, with `inbox: 'none'`. */
  readonly worker?: Worker
  readonly notStartedWarning?: NotStartedWarning
  readonly maintenance?: Maintenance
  readonly observer: Observer | undefined
}

/** Bytes of all bodies in memory, or one body of `bodyLimit` where that is larger. */
const inFlightLimit = 64 * 1024 * 1024

/** Reads secrets and creates the parts that receive and deliver. Can be called again after a failure. */
export async function assemble(
  options: ResolvedOptions,
  gates: ReadonlyMap<string, readonly RegisteredGate[]>,
  handlers: readonly RegisteredHandler[],
  observers: readonly Observer[],
): Promise<Opened> {
  const { authenticator, inbox, bodyLimit, gateTimeoutMs, concurrency, keepPolicy, retention, clock, log } =
    options
  await authenticator.prepare(log, clock)
  const telemetry = openTelemetry(log)
  const observer = combineObservers(telemetry === undefined ? observers : [...observers, telemetry.observer])
  const traced = telemetry === undefined ? {} : { tracer: telemetry.tracer }
  const gated = (type: string) => gates.has(type)
  const receiving = {
    authenticator,
    bodyBudget: { bodyLimit, inFlightLimit: Math.max(inFlightLimit, bodyLimit), inFlight: 0 },
    answerWithinMs: gateTimeoutMs,
    gates,
    deciding: new Map(),
    misprints: new Set<string>(),
    ...traced,
    observed: observer !== undefined,
    clock,
    log,
  }
  if (inbox === 'none') {
    return {
      observer,
      receiving: { ...receiving, sink: createInlineSink(handlers, gated, clock, log) },
      openInbox: async () => {},
    }
  }
  inbox.report?.(log)
  if (observer !== undefined) inbox.observe?.(observer)
  const { tend } = inbox
  const sink = createInboxSink(inbox, gated, keepPolicy, clock, log)
  let isOpen = false
  const names = handlers.map(({ name }) => name)
  const maintenance =
    tend === undefined ? undefined : new Maintenance({ tend, handlers: names, retention, clock, log })
  return {
    ...(maintenance !== undefined && { maintenance }),
    observer,
    notStartedWarning: new NotStartedWarning(inbox, clock, log),
    receiving: {
      ...receiving,
      sink: { ...sink, closed: () => (isOpen ? sink.closed() : 'the inbox is not open yet') },
    },
    async openInbox() {
      await inbox.open()
      await inbox.subscribe(handlers.map(subscriptionOf))
      if (retention !== 'none' && retention.maxBytes !== undefined) {
        tend?.limit(retention.maxBytes, () => maintenance?.pruneWhenFull())
      }
      isOpen = true
    },
    worker: new Worker({ engine: inbox, handlers, concurrency, observer, ...traced, clock, log }),
  }
}

function subscriptionOf({
  name,
  types,
  tenantIds,
  applicationIds,
  ordering,
}: RegisteredHandler): Subscription {
  return {
    handler: name,
    types,
    ordering,
    ...(tenantIds !== undefined && { tenantIds }),
    ...(applicationIds !== undefined && { applicationIds }),
  }
}
