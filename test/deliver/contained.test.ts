import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { memory } from 'fusewire/testing'
import { good, key } from '../support/door.ts'
import { keptLog } from '../support/log.ts'

const type = 'user.update.complete'

function post(id: string): Request {
  const body = JSON.stringify({ event: { type, id, createInstant: 1_900_000_000_000, user: { id: 'ada' } } })
  return new Request('http://localhost/', { method: 'POST', headers: good, body })
}

function newWebhook() {
  const log = keptLog()
  return { log, webhook: new Webhook({ authenticate: apiKey(key), inbox: memory(), log }) }
}

test('a handler may send the webhook another event of its own lane', async () => {
  const { webhook } = newWebhook()
  const [first, second] = [randomUUID(), randomUUID()]
  const seen: string[] = []
  webhook.on(type, async ({ event }) => {
    if (event.id === first) expect((await webhook.fetch(post(second))).status).toBe(200)
    seen.push(event.id)
  })
  await webhook.fetch(post(first))
  expect(await webhook.drain()).toMatchObject({ succeeded: 2, remaining: 0 })
  expect(seen).toEqual([first, second])
  await webhook.stop()
})

test('a handler that waits for the drain it is part of runs out of time, and the drain ends', async () => {
  const { webhook } = newWebhook()
  webhook.on(type, { timeoutMs: 100, maxAttempts: 1 }, () => webhook.drain())
  await webhook.fetch(post(randomUUID()))
  expect(await webhook.drain()).toMatchObject({ dead: 1, remaining: 0 })
  await webhook.stop()
})

test('a handler that waits for the stop it holds up is aborted when the stop will wait no longer, and begun again another time', async () => {
  const { webhook, log } = newWebhook()
  const { promise: aborted, resolve: tellAborted } = Promise.withResolvers<unknown>()
  webhook.on(type, async ({ signal }) => {
    signal.addEventListener('abort', () => tellAborted(signal.reason))
    await webhook.stop({ withinMs: 50 })
  })
  await webhook.start()
  await webhook.fetch(post(randomUUID()))
  expect(await aborted).toMatchObject({ code: 'FW_LEASE_LOST' })
  await webhook.stop()
  expect(log.text()).not.toContain('a handler failed')
})

test('a handler that blocks the thread past its time has failed, whatever it returns', async () => {
  const { webhook, log } = newWebhook()
  webhook.on(type, { timeoutMs: 50, maxAttempts: 1 }, () => {
    const until = performance.now() + 80
    while (performance.now() < until);
  })
  await webhook.fetch(post(randomUUID()))
  expect(await webhook.drain()).toMatchObject({ succeeded: 0, dead: 1 })
  expect(log.text()).toContain('did not end within 50 ms')
  await webhook.stop()
})
