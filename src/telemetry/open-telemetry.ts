import { createRequire } from 'node:module'
import type * as OpenTelemetry from '@opentelemetry/api'
import { describeError } from '../lib/describe-error.ts'
import type { Log } from '../model/log.ts'
import type { Observer, Tracer } from '../model/observer.ts'
import { measuring } from './measure.ts'
import { tracing } from './trace.ts'

/** What the process's OpenTelemetry SDK gets to know. */
export interface Telemetry {
  readonly observer: Observer
  readonly tracer: Tracer
}

/** Where every copy of `@opentelemetry/api` looks for the SDK that the process has registered. */
const registered = Symbol.for('opentelemetry.js.api.1')

/**
 * Spans and metrics by `@opentelemetry/api`, if an SDK has been registered before the webhook opens. Without one nothing is looked for, and
 * the package need not be installed.
 */
export function openTelemetry(log: Log): Telemetry | undefined {
  if (!(registered in globalThis)) return undefined
  try {
    // It is optional: bundlers, which look for what is imported, see nothing here. Its copies find one another.
    const require = createRequire(import.meta.url)
    const api = require('@opentelemetry/api') as typeof OpenTelemetry // By its name.
    return { observer: measuring(api), tracer: tracing(api) }
  } catch (error) {
    log.warn(
      { error: describeError(error) },
      'an OpenTelemetry SDK is registered, but @opentelemetry/api cannot be imported beside fusewire: nothing is traced',
    )
    return undefined
  }
}
