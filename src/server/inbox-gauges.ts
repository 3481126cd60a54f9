import { Gauge, Registry } from 'prom-client'
import type { HandlerOverview, Overview } from '../model/stats.ts'

/** Gauges of the inbox: the same from every process that shares it. */
export interface InboxGauges {
  /** @param now Epoch ms. */
  text(overview: Overview | 'unavailable', now: number): Promise<string>
}

type Reading = readonly [name: string, help: string, valueOf: (overview: Overview) => number]
type HandlerReading = readonly [
  name: string,
  help: string,
  valueOf: (handler: HandlerOverview, now: number) => number,
]

const readings: readonly Reading[] = [
  ['fusewire_inbox_events', 'Events in the inbox.', ({ events }) => events],
  ['fusewire_inbox_bytes', 'Bytes of its store.', ({ bytes }) => bytes],
  ['fusewire_aside', 'Events set aside: conflicts, stale and quarantined ones.', ({ aside }) => aside],
  ['fusewire_nodes', 'Processes that work on it.', ({ nodes }) => nodes.length],
]

const handlerReadings: readonly HandlerReading[] = [
  ['fusewire_pending', 'Deliveries that have not ended.', ({ pending }) => pending],
  ['fusewire_dead', 'Dead letters.', ({ dead }) => dead],
  [
    'fusewire_oldest_pending_seconds',
    'Age of the oldest delivery that has not ended, 0 without one.',
    ({ oldestPendingAt }, now) =>
      oldestPendingAt === undefined ? 0 : Math.max(0, (now - oldestPendingAt) / 1000),
  ],
  [
    'fusewire_lanes_blocked',
    'Lanes whose first delivery fails, counted up to 20.',
    ({ blocked }) => blocked.length,
  ],
  ['fusewire_abandoned', '1 where no process runs the handler.', ({ abandoned }) => (abandoned ? 1 : 0)],
]

export function inboxGauges(): InboxGauges {
  return {
    // Made anew for each scrape: a handler that the inbox forgot leaves no series behind.
    text(overview, now) {
      const registry = new Registry()
      const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] })
      const perHandler = (name: string, help: string) =>
        new Gauge({ name, help, labelNames: ['handler'], registers: [registry] })

      gauge('fusewire_inbox_up', 'Whether the inbox answered this scrape.').set(
        overview === 'unavailable' ? 0 : 1,
      )
      if (overview === 'unavailable') return registry.metrics()
      for (const [name, help, valueOf] of readings) gauge(name, help).set(valueOf(overview))
      for (const [name, help, valueOf] of handlerReadings) {
        const series = perHandler(name, help)
        for (const handler of overview.handlers)
          series.set({ handler: handler.handler }, valueOf(handler, now))
      }
      return registry.metrics()
    },
  }
}
