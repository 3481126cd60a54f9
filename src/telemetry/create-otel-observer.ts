import type * as OpenTelemetry from '@opentelemetry/api'
import type { Observer } from '../model/observer.ts'
import { descriptions, recordingObserver } from './recording-observer.ts'

/** Metrics for OpenTelemetry. */
export function createOtelObserver({ metrics }: typeof OpenTelemetry): Observer {
  const meter = metrics.getMeter('fusewire')
  const histogram = (name: string, description: string) =>
    meter.createHistogram(name, { unit: 's', description })
  const requests = histogram('fusewire.request.duration', descriptions.request)
  const events = meter.createCounter('fusewire.events', { description: descriptions.event })
  const attempts = histogram('fusewire.attempt.duration', descriptions.attempt)
  const commits = histogram('fusewire.commit.duration', descriptions.commit)

  return recordingObserver({
    request: (status, outcome, seconds) =>
      requests.record(seconds, { 'http.response.status_code': status, 'fusewire.outcome': outcome }),
    event: (type) => events.add(1, { 'fusewire.type': type }),
    attempt(handler, outcome, seconds) {
      if (seconds === undefined) return // A histogram of durations has no place for an attempt without one.
      attempts.record(seconds, { 'fusewire.handler': handler, 'fusewire.outcome': outcome })
    },
    commit: (seconds) => commits.record(seconds),
  })
}
