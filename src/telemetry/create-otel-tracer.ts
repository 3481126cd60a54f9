import type * as OpenTelemetry from '@opentelemetry/api'
import type { Received, Tracer } from '../model/observer.ts'
import { outcomeLabel } from './labels.ts'

/**
 * Spans for OpenTelemetry: one from a request's headers to its answer and one for each attempt, all in one trace. The event is kept with a
 * W3C `traceparent`, which continues the trace and identifies no person.
 */
export function createOtelTracer(api: typeof OpenTelemetry): Tracer {
  const { context, propagation, trace, ROOT_CONTEXT, SpanKind, SpanStatusCode } = api
  const tracer = trace.getTracer('fusewire')

  /** The active span, of an instrumented server, else the one that the request's headers name. */
  function parentOf(request: Received): OpenTelemetry.Context {
    const active = context.active()
    if (trace.getSpan(active) !== undefined) return active
    return propagation.extract(active, request, { get: (from, name) => from.header(name), keys: () => [] })
  }

  return {
    async receiving(request, run) {
      const parent = parentOf(request)
      const options = {
        kind: SpanKind.CONSUMER,
        startTime: request.receivedAt,
        attributes: { 'messaging.system': 'fusionauth', 'messaging.operation.type': 'receive' },
      }
      const span = tracer.startSpan('fusewire receive', options, parent)
      try {
        const answered = await context.with(trace.setSpan(parent, span), () => run(traceparentOf(span)))
        const { status, outcome, event } = answered
        span.setAttributes({ 'http.response.status_code': status, 'fusewire.outcome': outcome })
        if (event !== undefined) {
          span.setAttributes({ 'messaging.message.id': event.id, 'fusewire.type': event.type })
        }
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        return answered
      } finally {
        span.end()
      }
    },

    async attempting({ handler, attempt, event }, run) {
      const parent = contextOf(event.trace)
      const attributes = {
        'messaging.system': 'fusionauth',
        'messaging.operation.type': 'process',
        'messaging.message.id': event.key.id,
        'fusewire.type': event.type,
        'fusewire.handler': handler,
        'fusewire.attempt': attempt,
      }
      const span = tracer.startSpan(
        `fusewire handle ${handler}`,
        { kind: SpanKind.CONSUMER, attributes },
        parent,
      )
      try {
        const end = await context.with(trace.setSpan(parent, span), run)
        const outcome = outcomeLabel(end)
        span.setAttribute('fusewire.outcome', outcome)
        if (outcome === 'retry' || outcome === 'dead') span.setStatus({ code: SpanStatusCode.ERROR })
        return end
      } finally {
        span.end()
      }
    },
  }

  function contextOf(traceparent: string | undefined): OpenTelemetry.Context {
    const [, traceId, spanId, flags] =
      /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? []
    if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags: parseInt(flags, 16),
      isRemote: true,
    })
  }

  function traceparentOf(span: OpenTelemetry.Span): string | undefined {
    const spanContext = span.spanContext()
    if (!api.isSpanContextValid(spanContext)) return undefined
    const { traceId, spanId, traceFlags } = spanContext
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  }
}
