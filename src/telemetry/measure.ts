import type * as OpenTelemetry from '@opentelemetry/api'
import type { Observer } from '../model/observer.ts'
import { outcomeLabel, typeLabel } from './labels.ts'

/** Metrics for OpenTelemetry. Types newer than the catalogue count as `other`, so that a sender cannot make new series. */
export function measuring({ metrics }: typeof OpenTelemetry): Observer {
  const meter = metrics.getMeter('fusewire')
  const requests = meter.createHistogram('fusewire.request.duration', {
    unit: 's',
    description: 'From the headers of a request to its answer',
  })
  const events = meter.createCounter('fusewire.events', { description: 'Events that were taken in' })
  const attempts = meter.createHistogram('fusewire.attempt.duration', {
    unit: 's',
    description: 'Attempts of handlers',
  })
  const commits = meter.createHistogram('fusewire.commit.duration', {
    unit: 's',
    description: 'Until appended events were on disk',
  })

  return {
    answered({ status, outcome, event }, tookMs) {
      requests.record(tookMs / 1000, { 'http.response.status_code': status, 'fusewire.outcome': outcome })
      if (event !== undefined && status === 200) events.add(1, { 'fusewire.type': typeLabel(event.type) })
    },
    attempted({ handler }, end, tookMs) {
      attempts.record(tookMs / 1000, { 'fusewire.handler': handler, 'fusewire.outcome': outcomeLabel(end) })
    },
    synced: (tookMs) => commits.record(tookMs / 1000),
  }
}
