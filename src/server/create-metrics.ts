import { Counter, Histogram, Registry } from 'prom-client'
import type { Observer } from '../model/observer.ts'
import type { Overview } from '../model/stats.ts'
import { descriptions, recordingObserver } from '../telemetry/recording-observer.ts'
import { inboxGauges } from './inbox-gauges.ts'
import { processMetrics } from './process-metrics.ts'

/** Counts what happens in this process, and renders it in Prometheus' text format. */
export interface Metrics {
  readonly observer: Observer
  /**
   * The text of one scrape.
   *
   * @param overview Of the inbox; `unavailable` when the inbox did not answer, `none` where there is no inbox.
   * @param now Epoch ms.
   */
  text(overview: Overview | 'unavailable' | 'none', now: number): Promise<string>
}

/** Upper bounds of the buckets, in seconds. FusionAuth's usual read timeout is 2 s. */
const answerBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const attemptBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counters that start at 0, so that `increase()` sees the first 503: a series that does not exist yet has no increase. */
const usualAnswers = [
  ['200', 'kept'],
  ['200', 'handled'],
  ['200', 'duplicate'],
  ['401', 'refused'],
  ['422', 'denied'],
  ['500', 'failed'],
  ['503', 'unavailable'],
  ['504', 'timeout'],
] as const
const attemptOutcomes = ['succeeded', 'skipped', 'retry', 'wait', 'dead', 'crashed', 'lost'] as const

/** Prometheus metrics of this process and its inbox. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'fusewire_receipts_total',
    help: 'Requests by status and outcome of their answer.',
    labelNames: ['status', 'outcome'],
    registers,
  })
  const answered = new Histogram({
    name: 'fusewire_ack_seconds',
    help: `${descriptions.request}.`,
    buckets: answerBuckets,
    registers,
  })
  const events = new Counter({
    name: 'fusewire_events_total',
    help: `${descriptions.event}.`,
    labelNames: ['type'],
    registers,
  })
  const attempts = new Counter({
    name: 'fusewire_attempts_total',
    help: 'Attempts of handlers by their outcome.',
    labelNames: ['handler', 'outcome'],
    registers,
  })
  const attemptTimes = new Histogram({
    name: 'fusewire_attempt_seconds',
    help: `${descriptions.attempt}.`,
    labelNames: ['handler'],
    buckets: attemptBuckets,
    registers,
  })
  const commits = new Histogram({
    name: 'fusewire_commit_seconds',
    help: `${descriptions.commit}.`,
    buckets: answerBuckets,
    registers,
  })
  const gauges = inboxGauges()
  for (const [status, outcome] of usualAnswers) requests.inc({ status, outcome }, 0)

  return {
    observer: recordingObserver({
      request(status, outcome, seconds) {
        requests.inc({ status, outcome })
        answered.observe(seconds)
      },
      event: (type) => events.inc({ type }),
      attempt(handler, outcome, seconds) {
        attempts.inc({ handler, outcome })
        if (seconds !== undefined) attemptTimes.observe({ handler }, seconds)
      },
      commit: (seconds) => commits.observe(seconds),
    }),
    async text(overview, now) {
      if (typeof overview === 'object') {
        for (const { handler } of overview.handlers) {
          for (const outcome of attemptOutcomes) attempts.inc({ handler, outcome }, 0)
        }
      }
      const texts = [
        await registry.metrics(),
        overview === 'none' ? '' : await gauges.text(overview, now),
        await processMetrics().metrics(),
      ]
      return texts.filter((text) => text !== '').join('\n')
    },
  }
}
