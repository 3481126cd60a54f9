import type { Observer } from '../model/observer.ts'
import { outcomeLabel, typeLabel } from './labels.ts'

/** What is measured, for OpenTelemetry and for Prometheus alike. Each gives the instruments names in its own style. */
export const descriptions = {
  request: "Time from a request's headers to its answer",
  event: 'Events answered 200, by type; "other" is a type that this version does not know',
  attempt: 'Duration of attempts of handlers',
  commit: 'Time until appended events were on disk',
} as const

/** Writes measurements to the instruments of one system. Durations are in seconds. */
export interface Recorder {
  request(status: number, outcome: string, seconds: number): void
  event(type: string): void
  /** @param seconds Undefined where the process of the attempt ended before the attempt did. */
  attempt(handler: string, outcome: string, seconds: number | undefined): void
  commit(seconds: number): void
}

/**
 * Turns what happens into measurements. Labels hold our own words, types of the catalogue and names of handlers: a sender cannot create
 * a new series.
 */
export function recordingObserver(recorder: Recorder): Observer {
  return {
    answered({ status, outcome, event }, tookMs) {
      recorder.request(status, outcome, tookMs / 1000)
      if (event !== undefined && status === 200) recorder.event(typeLabel(event.type))
    },
    attempted: ({ handler }, end, tookMs) => recorder.attempt(handler, outcomeLabel(end), tookMs / 1000),
    crashed: (handler) => recorder.attempt(handler, 'crashed', undefined),
    synced: (tookMs) => recorder.commit(tookMs / 1000),
  }
}
