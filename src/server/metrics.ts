import type { Observer } from '../model/observer.ts'
import type { Overview } from '../model/stats.ts'
import { outcomeLabel, typeLabel } from '../telemetry/labels.ts'

/** What the process counts, and Prometheus' text of it. */
export interface Metrics {
  readonly observer: Observer
  /** `overview` is of the inbox, if it answers. */
  text(overview: Overview | undefined, now: number): string
}

const ackSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const attemptSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Labels are our own words, the catalogue's types and the handlers' names: nothing a sender says makes a new series. */
export function metrics(): Metrics {
  const requests = new Counter()
  const acknowledged = new Histogram(ackSeconds)
  const events = new Counter()
  const attempts = new Counter()
  const attempting = new Map<string, Histogram>()
  const commits = new Histogram(ackSeconds)

  const observer: Observer = {
    answered({ status, outcome, event }, tookMs) {
      requests.add(`{status="${status}",outcome="${outcome}"}`)
      acknowledged.record(tookMs / 1000)
      if (status === 200 && event !== undefined) events.add(`{type="${typeLabel(event.type)}"}`)
    },
    attempted({ handler }, end, tookMs) {
      attempts.add(`{handler="${escaped(handler)}",outcome="${outcomeLabel(end)}"}`)
      let histogram = attempting.get(handler)
      if (histogram === undefined) attempting.set(handler, (histogram = new Histogram(attemptSeconds)))
      histogram.record(tookMs / 1000)
    },
    crashed: (handler) => attempts.add(`{handler="${escaped(handler)}",outcome="crashed"}`),
    synced: (tookMs) => commits.record(tookMs / 1000),
  }

  function text(overview: Overview | undefined, now: number): string {
    return [
      family('fusewire_receipts_total', 'counter', 'Requests by what they were answered and why.'),
      requests.lines('fusewire_receipts_total'),
      family('fusewire_ack_seconds', 'histogram', "From a request's headers to its answer."),
      acknowledged.lines('fusewire_ack_seconds'),
      family(
        'fusewire_events_total',
        'counter',
        'Events answered 200, by type; other is what the catalogue does not know.',
      ),
      events.lines('fusewire_events_total'),
      family('fusewire_attempts_total', 'counter', 'Attempts of handlers by how they ended.'),
      attempts.lines('fusewire_attempts_total'),
      family('fusewire_attempt_seconds', 'histogram', 'How long attempts took.'),
      ...[...attempting].map(([handler, histogram]) =>
        histogram.lines('fusewire_attempt_seconds', `handler="${escaped(handler)}"`),
      ),
      family('fusewire_commit_seconds', 'histogram', 'Until appended events were on disk.'),
      commits.lines('fusewire_commit_seconds'),
      family('fusewire_inbox_up', 'gauge', 'Whether the inbox answered this scrape.'),
      `fusewire_inbox_up ${overview === undefined ? 0 : 1}\n`,
      overview === undefined ? '' : gauges(overview, now),
    ].join('')
  }

  return { observer, text }
}

/** What only the inbox knows: the same from every process that asks it. */
function gauges({ events, bytes, nodes, handlers }: Overview, now: number): string {
  const perHandler = (
    name: string,
    help: string,
    value: (handler: Overview['handlers'][number]) => number,
  ) => [
    family(name, 'gauge', help),
    ...handlers.map((handler) => `${name}{handler="${escaped(handler.handler)}"} ${value(handler)}\n`),
  ]
  return [
    family('fusewire_inbox_events', 'gauge', 'Events in the inbox.'),
    `fusewire_inbox_events ${events}\n`,
    family('fusewire_inbox_bytes', 'gauge', 'Bytes of its store.'),
    `fusewire_inbox_bytes ${bytes}\n`,
    family('fusewire_nodes', 'gauge', 'Processes that work on it.'),
    `fusewire_nodes ${nodes.length}\n`,
    ...perHandler('fusewire_pending', 'Deliveries that have not ended.', ({ pending }) => pending),
    ...perHandler('fusewire_dead', 'Dead letters.', ({ dead }) => dead),
    ...perHandler(
      'fusewire_oldest_pending_seconds',
      'Age of the oldest delivery that has not ended, 0 without one.',
      ({ oldestPendingAt }) =>
        oldestPendingAt === undefined ? 0 : Math.max(0, (now - oldestPendingAt) / 1000),
    ),
    ...perHandler(
      'fusewire_lanes_blocked',
      'Lanes whose first delivery fails, counted up to 20.',
      ({ blocked }) => blocked.length,
    ),
    ...perHandler('fusewire_abandoned', '1 where no process runs the handler.', ({ abandoned }) =>
      abandoned ? 1 : 0,
    ),
  ].join('')
}

class Counter {
  readonly #values = new Map<string, number>()

  add(labels: string): void {
    this.#values.set(labels, (this.#values.get(labels) ?? 0) + 1)
  }

  lines(name: string): string {
    return [...this.#values].map(([labels, value]) => `${name}${labels} ${value}\n`).join('')
  }
}

class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #count = 0
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  record(value: number): void {
    this.#count += 1
    this.#sum += value
    const place = this.#bounds.findIndex((bound) => value <= bound)
    if (place >= 0) this.#counts[place] = (this.#counts[place] ?? 0) + 1
  }

  lines(name: string, labels = ''): string {
    const within = labels === '' ? '' : `${labels},`
    const alone = labels === '' ? '' : `{${labels}}`
    let sum = 0
    return [
      ...this.#bounds.map(
        (bound, place) => `${name}_bucket{${within}le="${bound}"} ${(sum += this.#counts[place] ?? 0)}\n`,
      ),
      `${name}_bucket{${within}le="+Inf"} ${this.#count}\n`,
      `${name}_sum${alone} ${this.#sum}\n`,
      `${name}_count${alone} ${this.#count}\n`,
    ].join('')
  }
}

function family(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
}

/** As Prometheus wants the value of a label. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
