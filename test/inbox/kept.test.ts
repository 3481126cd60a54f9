import { expect, test, vi } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import { apiKey, Denied, Webhook, type WebhookOptions } from '../../src/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import { request } from '../../src/testing/index.ts'

const key = 'a key of sixteen bytes'
const silent = { info() {}, warn() {}, error() {} }

function webhookWith(options: Partial<WebhookOptions<Engine>> = {}): Webhook {
  return new Webhook({ authenticate: apiKey(key), inbox: memory(), log: silent, ...options })
}

function post(body: string, authorization = key): Request {
  const headers = { 'content-type': 'application/json', authorization }
  return new Request('http://localhost/', { method: 'POST', headers, body })
}

const refresh = `{"event":{"type":"jwt.refresh","id":"e","createInstant":${Date.now()},"userId":"u","token":"t","original":"o","refreshToken":"r"}}`

test('keeps no live credential, and knows the event by all it said', async () => {
  const webhook = webhookWith()
  const seen: unknown[] = []
  webhook.gate('jwt.refresh', ({ event }) => void seen.push(event.refreshToken))
  webhook.on('jwt.refresh', { when: 'received' }, ({ event }) => void seen.push(event.refreshToken))
  expect((await webhook.fetch(post(refresh))).status).toBe(200)
  await webhook.drain()
  expect(seen).toEqual(['r', '[redacted]'])
  const [kept] = (await webhook.inbox.page()).items
  expect(kept?.deliveries[0]?.state).toBe('succeeded')
  const whole = await webhook.inbox.get('e')
  expect(Buffer.from(whole?.body ?? []).toString()).toBe(
    refresh.replaceAll(/"[tor]"(?=[,}])/g, '"[redacted]"'),
  )
  expect((await webhook.fetch(post(refresh))).status).toBe(200)
  expect((await webhook.fetch(post(refresh.replace('"o"', '"other"')))).status).toBe(200)
  expect((await webhook.inbox.page({ state: 'conflict' })).items).toHaveLength(1)
  expect(seen).toEqual(['r', '[redacted]', 'r']) // The gate was asked about the other bytes.
})

test('keeps the credentials it is told to keep', async () => {
  const webhook = webhookWith({
    keepSecrets: ['refreshToken', 'token', 'original'],
    redact: ['info.ipAddress'],
  })
  await webhook.fetch(post(refresh))
  expect(Buffer.from((await webhook.inbox.get('e'))?.body ?? []).toString()).toBe(refresh)
})

test('keeps only what a handler asks for, if told so', async () => {
  const webhook = webhookWith({ keep: 'handled' })
  webhook.on('user.delete.complete', () => {})
  expect((await webhook.fetch(post(refresh))).status).toBe(200)
  expect((await webhook.fetch(request('user.delete.complete', {}, { apiKey: key }))).status).toBe(200)
  expect((await webhook.inbox.page()).items.map(({ type }) => type)).toEqual(['user.delete.complete'])
})

test.each([
  [{ redact: ['user'] }, 'promised'],
  [{ redact: ['user.id'] }, 'promised'],
  [{ redact: ['user..x'] }, 'paths below event'],
  [{ keepSecrets: ['password'] }, 'secret paths'],
  [{ keep: 'some' as 'all' }, "'all' or 'handled'"],
  [{ retention: { settledMs: 0 } }, 'settledMs'],
  [{ retention: { types: { test: { unhandledMs: Number.NaN } } } }, 'unhandledMs'],
])('says what is wrong with %o', (options, said) => {
  expect(() => webhookWith(options)).toThrow(said)
})

test('remembers what those who may speak were refused, and of strangers only a sample in memory', async () => {
  const webhook = webhookWith()
  webhook.gate('user.create', () => {
    throw new Denied('not today')
  })
  await webhook.fetch(post('no JSON'))
  await webhook.fetch(request('user.create', {}, { apiKey: key }))
  for (let i = 0; i < 5; i++) await webhook.fetch(post(refresh, 'wrong'))
  await vi.waitFor(async () => expect((await webhook.inbox.receipts()).items).toHaveLength(2), 5_000)

  const { items } = await webhook.inbox.receipts()
  expect(items).toMatchObject([
    {
      status: 422,
      outcome: 'denied',
      reason: expect.stringMatching(/^gate .* denied the event$/),
      type: 'user.create',
    },
    { status: 400, outcome: 'refused' },
  ])
  expect(items.every(({ at, tookMs }) => at > 1_700_000_000_000 && tookMs >= 0)).toBe(true)
  expect(webhook.inbox.strangers()).toMatchObject({ seen: 5, sample: [{ status: 401, outcome: 'refused' }] })
  expect((await webhook.inbox.page({ state: 'refused' })).items).toMatchObject([
    { refused: expect.stringContaining('not today') },
  ])
  await webhook.stop()
})

test('erases events that name a person by a login alone', async () => {
  const webhook = webhookWith()
  const createInstant = Date.now() - 9
  const send = (id: string, fields: object) =>
    webhook.fetch(
      post(JSON.stringify({ event: { type: 'user.identity.verified', id, createInstant, ...fields } })),
    )
  await send('1', { loginId: 'Ada@Example.com', loginIdType: 'email' })
  await send('2', { loginId: 'ada@old.example', loginIdType: 'email' })
  await send('3', { loginId: 'bob@example.com', loginIdType: 'email' })
  await send('4', { user: { id: 'ada', email: 'ada@example.com' } })
  const report = await webhook.inbox.erase({ userId: 'ada' }, { loginIds: ['ada@old.example'] })
  expect(report.events).toBe(3)
  await send('5', { loginId: 'ada@example.com', loginIdType: 'email' })
  expect((await webhook.inbox.page()).items).toHaveLength(1)
  expect((await webhook.inbox.get('3'))?.event).toMatchObject({ loginId: 'bob@example.com' })
})

test('what a gate said of a person goes with the event: no receipt repeats it', async () => {
  const webhook = webhookWith()
  webhook.gate('user.create', ({ event }) => {
    throw new Error(`no ${event.user.email}`)
  })
  const user = { id: 'ada', email: 'ada@example.com' }
  await webhook.fetch(request('user.create', { user }, { apiKey: key }))
  await vi.waitFor(async () => expect((await webhook.inbox.receipts()).items).toHaveLength(1), 5_000)
  const receipts = JSON.stringify((await webhook.inbox.receipts()).items)
  expect(receipts).toContain(' threw"')
  expect(receipts).not.toContain(user.email)
  expect(await webhook.inbox.erase({ userId: user.id })).toMatchObject({ events: 1 })
  await webhook.stop()
})

test('a receipt holds no character that a column would refuse, which would cost its neighbours theirs', async () => {
  const webhook = webhookWith()
  webhook.gate('user.create', () => {
    throw new Denied('no')
  })
  await webhook.fetch(request('user.create', { id: 'a\0\ud800' }, { apiKey: key }))
  await vi.waitFor(async () => expect((await webhook.inbox.receipts()).items).toHaveLength(1), 5_000)
  expect((await webhook.inbox.receipts()).items).toMatchObject([{ type: 'user.create', id: 'a??' }])
  await webhook.stop()
})

test('writes the last receipts before it stops', async () => {
  const inbox = memory()
  const record = vi.spyOn(inbox.tend ?? {}, 'record' as never)
  const webhook = webhookWith({ inbox })
  await webhook.fetch(post('no JSON'))
  await webhook.stop()
  expect(record).toHaveBeenCalledOnce()
})

test('asks no gate about what a full inbox cannot keep', async () => {
  const webhook = webhookWith({ retention: { maxBytes: 1 } })
  let asked = 0
  webhook.gate('user.create', () => void asked++)
  webhook.on('user.create', { when: 'received' }, () => {}) // It waits, so it cannot be pruned.
  const statuses = []
  for (let i = 0; i < 4; i++) {
    statuses.push((await webhook.fetch(request('user.create', {}, { apiKey: key }))).status)
  }
  expect(statuses).toEqual([200, 503, 503, 503])
  expect(asked).toBe(1)
})

test('says that it is there while it is started', async () => {
  const inbox = memory()
  const one = webhookWith({ inbox })
  one.on('user.delete.complete', () => {})
  await one.start()
  const { nodes, handlers } = await one.inbox.stats()
  expect(nodes).toMatchObject([{ pid: process.pid, handlers: ['user.delete.complete'] }])
  expect(handlers).toMatchObject([{ handler: 'user.delete.complete', abandoned: false }])
  await one.stop()
})
