import { collectDefaultMetrics, Registry } from 'prom-client'

let registry: Registry | undefined

/**
 * Metrics of this process: event loop lag, heap, garbage collection, CPU time, open descriptors. One registry for all servers of the
 * process, made at the first scrape: its monitors cannot be stopped again.
 */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry
}
