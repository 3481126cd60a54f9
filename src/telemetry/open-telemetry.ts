import { createRequire } from 'node:module'
import type * as OpenTelemetry from '@opentelemetry/api'
import { describeError } from '../lib/describe-error.ts'
import type { Log } from '../model/log.ts'
import type { Observer, Tracer } from '../model/observer.ts'
import { createOtelObserver } from './create-otel-observer.ts'
import { createOtelTracer } from './create-otel-tracer.ts'

/** Reports to the OpenTelemetry SDK of this process. */
export interface Telemetry {
  readonly observer: Observer
  readonly tracer: Tracer
}

/** The property of globalThis under which every copy of `@opentelemetry/api` finds the registered SDK. */
const registered = Symbol.for('opentelemetry.js.api.1')

/**
 * Spans and metrics by `@opentelemetry/api`, if an SDK was registered before the webhook opens. Without an SDK the package is not imported
 * and need not be installed.
 */
export function openTelemetry(log: Log): Telemetry | undefined {
  if (!(registered in globalThis)) return undefined
  try {
    // require() at run time: the package is optional, and bundlers must not try to resolve it. A second copy of it finds the same SDK.
    const require = createRequire(import.meta.url)
    const api = require('@opentelemetry/api') as typeof OpenTelemetry // By its name.
    return { observer: createOtelObserver(api), tracer: createOtelTracer(api) }
  } catch (error) {
    log.warn(
      { error: describeError(error) },
      'an OpenTelemetry SDK is registered, but @opentelemetry/api cannot be imported beside fusewire: nothing is traced',
    )
    return undefined
  }
}
