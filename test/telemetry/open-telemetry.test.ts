import {
  context,
  metrics,
  propagation,
  type Span as ApiSpan,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { sqlite } from 'fusewire/sqlite'
import { memory, sample } from 'fusewire/testing'

const key = 'the key of this test'
const inbound = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const log = { info: () => {}, warn: () => {}, error: () => {} }

const spans = new InMemorySpanExporter()
let measured: InMemoryMetricExporter
let reader: PeriodicExportingMetricReader

beforeEach(() => {
  spans.reset()
  measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 2 ** 30 })
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  )
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
})
afterEach(async () => {
  await reader.shutdown()
  for (const api of [trace, metrics, context, propagation]) api.disable()
})

function post(headers: Record<string, string>, event: object = sample('user.delete.complete')): Request {
  return new Request('http://localhost/fusionauth-webhook', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ event }),
  })
}

/** Two attempts, the first of which fails. */
async function twoAttempts(headers: Record<string, string>) {
  let attempts = 0
  let active: ApiSpan | undefined
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: memory(), log })
  webhook.on('user.delete.complete', { name: 'crm' }, () => {
    active = trace.getActiveSpan()
    if (++attempts === 1) throw new Error('not yet')
  })
  expect((await webhook.fetch(post({ authorization: key, ...headers }))).status).toBe(200)
  await expect.poll(async () => (await webhook.drain()).remaining, { timeout: 5000 }).toBe(0)
  return active
}

test('one trace reaches from the sender over the receipt to every attempt', async () => {
  const active = await twoAttempts({ traceparent: inbound })
  const [receipt, failed, succeeded, ...more] = spans.getFinishedSpans()
  expect(more).toEqual([])
  expect([receipt, failed, succeeded].map((span) => span?.name)).toEqual([
    'fusewire receive',
    'fusewire handle crm',
    'fusewire handle crm',
  ])
  const [, traceId, senderSpan] = inbound.split('-')
  expect([receipt, failed, succeeded].map((span) => span?.spanContext().traceId)).toEqual([
    traceId,
    traceId,
    traceId,
  ])
  expect(receipt?.parentSpanContext?.spanId).toBe(senderSpan)
  for (const attempt of [failed, succeeded]) {
    expect(attempt?.parentSpanContext?.spanId).toBe(receipt?.spanContext().spanId)
  }
  expect(receipt?.attributes).toMatchObject({
    'fusewire.outcome': 'kept',
    'fusewire.type': 'user.delete.complete',
  })
  expect(failed?.attributes).toMatchObject({ 'fusewire.attempt': 1, 'fusewire.outcome': 'retry' })
  expect(failed?.status.code).toBe(SpanStatusCode.ERROR)
  expect(succeeded?.attributes).toMatchObject({ 'fusewire.attempt': 2, 'fusewire.outcome': 'succeeded' })
  // What a handler calls is traced as part of its attempt.
  expect(active?.spanContext().spanId).toBe(succeeded?.spanContext().spanId)
})

test('a trace outlives the process that began it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fusewire-trace-'))
  const inbox = () => sqlite(join(folder, 'inbox.db'), { allowVolatile: true })
  const newWebhook = () => {
    const webhook = new Webhook({ authenticate: apiKey(key), inbox: inbox(), log })
    return webhook.on('user.delete.complete', { name: 'crm' }, () => {})
  }
  const first = newWebhook()
  expect((await first.fetch(post({ authorization: key, traceparent: inbound }))).status).toBe(200)
  await first.stop()
  await using second = newWebhook()
  expect((await second.drain()).succeeded).toBe(1)
  const [receipt, attempt] = spans.getFinishedSpans()
  expect(attempt?.parentSpanContext?.spanId).toBe(receipt?.spanContext().spanId)
  expect(attempt?.spanContext().traceId).toBe(inbound.split('-')[1])
  rmSync(folder, { recursive: true })
})

test('a stranger begins no trace and continues none', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: memory(), log })
  await webhook.start()
  expect((await webhook.fetch(post({ authorization: 'wrong', traceparent: inbound }))).status).toBe(401)
  expect(spans.getFinishedSpans()).toEqual([])
})

test('spans and metrics say nothing of what the event says', async () => {
  await twoAttempts({})
  await reader.forceFlush()
  const said = JSON.stringify([
    spans
      .getFinishedSpans()
      .map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    measured.getMetrics().map(({ scopeMetrics }) => scopeMetrics),
  ])
  const { user, tenantId } = sample('user.delete.complete')
  for (const secret of [key, user.id, user.email, tenantId]) expect(said).not.toContain(secret)
})

test('counts requests and attempts; a type nobody knows is other', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: memory(), log })
  webhook.on('*', { name: 'all', when: 'received' }, () => {})
  await webhook.start()
  await webhook.fetch(post({ authorization: key }, { type: 'made.up', id: 'a', createInstant: Date.now() }))
  await webhook.fetch(post({ authorization: 'wrong' }))
  await webhook.drain()
  await reader.forceFlush()
  const points = measured
    .getMetrics()
    .flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((scope) =>
        scope.metrics.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes }) => [descriptor.name, attributes] as const),
        ),
      ),
    )
  expect(points).toEqual(
    expect.arrayContaining([
      ['fusewire.request.duration', { 'http.response.status_code': 200, 'fusewire.outcome': 'kept' }],
      ['fusewire.request.duration', { 'http.response.status_code': 401, 'fusewire.outcome': 'refused' }],
      ['fusewire.events', { 'fusewire.type': 'other' }],
      ['fusewire.attempt.duration', { 'fusewire.handler': 'all', 'fusewire.outcome': 'succeeded' }],
    ]),
  )
})
