import { expect, test } from 'vitest'
import { apiKey, Permanent, Webhook } from 'fusewire'
import { adminToken, startServer } from 'fusewire/server'
import { sample } from 'fusewire/testing'
import { keptLog } from '../support/log.ts'
import { rig } from './rig.ts'

/** The samples of a scrape by name and labels. */
async function scrape(server: Awaited<ReturnType<typeof rig>>): Promise<ReadonlyMap<string, number>> {
  const { status, text, headers } = await server.ask('/metrics')
  expect(status).toBe(200)
  expect(headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name = '', value] = /^([a-z0-9_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      return [name, Number(value)]
    }),
  )
}

test('counts what came, what was answered and what handlers made of it', async () => {
  await using server = await rig((webhook) => {
    webhook.on('*', { name: 'all "of" them', when: 'received' }, ({ event }) => {
      if (event.type === 'user.delete.complete') throw new Permanent('no')
    })
  })
  expect(await server.send(sample('user.create.complete'))).toBe(200)
  expect(await server.send(sample('user.delete.complete'))).toBe(200)
  expect(await server.send({ type: 'made.up{}\n"', id: 'a', createInstant: Date.now() })).toBe(200)
  expect(await server.send([])).toBe(400)
  await expect.poll(async () => (await server.webhook.drain()).remaining).toBe(0)

  const now = await scrape(server)
  expect(now.get('fusewire_receipts_total{status="200",outcome="kept"}')).toBe(3)
  expect(now.get('fusewire_receipts_total{status="400",outcome="refused"}')).toBe(1)
  expect(now.get('fusewire_ack_seconds_count')).toBe(4)
  expect(now.get('fusewire_ack_seconds_bucket{le="+Inf"}')).toBe(4)
  expect(now.get('fusewire_events_total{type="user.create.complete"}')).toBe(1)
  expect(now.get('fusewire_events_total{type="other"}')).toBe(1)
  const handler = String.raw`handler="all \"of\" them"`
  expect(now.get(`fusewire_attempts_total{${handler},outcome="succeeded"}`)).toBe(2)
  expect(now.get(`fusewire_attempts_total{${handler},outcome="dead"}`)).toBe(1)
  expect(now.get(`fusewire_dead{${handler}}`)).toBe(1)
  expect(now.get(`fusewire_pending{${handler}}`)).toBe(0)
  expect(now.get('fusewire_inbox_up')).toBe(1)
  expect(now.get('fusewire_inbox_events')).toBe(3)
})

test('buckets count everything below their bound, and every family says what it is', async () => {
  await using server = await rig()
  await server.send(sample('user.create.complete'))
  const { text } = await server.ask('/metrics')
  const counts = [...text.matchAll(/^fusewire_ack_seconds_bucket\{le="[^"]+"\} (\d+)$/gm)].map(([, n]) =>
    Number(n),
  )
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  expect(counts.at(-1)).toBe(1)
  const names = new Set(
    [...text.matchAll(/^(fusewire_[a-z_]+?)(?:_bucket|_sum|_count)?[{ ]/gm)].map(([, name]) => name),
  )
  for (const name of names) expect(text).toContain(`# TYPE ${name} `)
})

test('series that an alarm watches exist before anything went wrong', async () => {
  await using server = await rig((webhook) => webhook.on('user.create.complete', () => {}))
  const now = await scrape(server)
  expect(now.get('fusewire_receipts_total{status="503",outcome="unavailable"}')).toBe(0)
  expect(now.get('fusewire_attempts_total{handler="user.create.complete",outcome="dead"}')).toBe(0)
  expect(now.get('fusewire_aside')).toBe(0)
})

test('tells how the process is: event loop lag, heap, CPU time', async () => {
  await using server = await rig()
  const now = await scrape(server)
  expect(now.get('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000)
  expect(now.get('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(now.has('nodejs_eventloop_lag_p99_seconds')).toBe(true)
})

test('says nothing of an inbox where there is none', async () => {
  await using server = await startServer({
    webhook: new Webhook({ authenticate: apiKey('a key of sixteen bytes'), inbox: 'none' }),
    door: { port: 0, hostname: '127.0.0.1' },
    admin: { port: 0, tokens: [adminToken('test', 'read', 'a-token-of-sixteen-bytes')] },
    signals: false,
    log: keptLog(),
  })
  const response = await fetch(`${server.adminUrl}/metrics`, {
    headers: { authorization: 'Bearer a-token-of-sixteen-bytes' },
  })
  expect(await response.text()).not.toContain('fusewire_inbox_up')
})
