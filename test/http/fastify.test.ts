import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { signature, Webhook } from 'fusewire'
import { fusewire } from 'fusewire/fastify'
import { memory, sample, sign } from 'fusewire/testing'

const secret = 'a secret of thirty-two bytes ...'
const log = { info: () => {}, warn: () => {}, error: () => {} }

function newWebhook() {
  const handled: string[] = []
  const webhook = new Webhook({
    authenticate: signature({ secret }),
    inbox: memory(),
    bodyLimit: 3_000_000,
    log,
  })
  webhook.on('user.create.complete', ({ event }) => void handled.push(event.id))
  return { webhook, handled }
}

async function listening() {
  const { webhook, handled } = newWebhook()
  const app = Fastify({ bodyLimit: 100 })
  await app.register(fusewire(webhook), { prefix: '/fusionauth-webhook' })
  app.post('/echo', async (request) => request.body)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, webhook, handled, [Symbol.asyncDispose]: () => app.close() }
}

function send(url: string, note = ''): Promise<Response> {
  const body = JSON.stringify({
    event: { ...sample('user.create.complete', { createInstant: Date.now() }), note },
  })
  return fetch(`${url}/fusionauth-webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-fusionauth-signature-jwt': sign(body, { secret }) },
    body,
  })
}

test('takes the exact bytes, whatever limit Fastify has for itself, and delivers', async () => {
  await using at = await listening()
  expect((await send(at.url)).status).toBe(200)
  expect((await send(at.url, 'x'.repeat(2_000_000))).status).toBe(200)
  expect((await send(at.url, 'x'.repeat(4_000_000))).status).toBe(413)
  await expect.poll(() => at.handled.length).toBeGreaterThan(0)
})

test('refuses what is not signed, and leaves other routes their parsers and limits', async () => {
  await using at = await listening()
  const post = (path: string, body: string) =>
    fetch(at.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect((await post('/fusionauth-webhook', '{}')).status).toBe(401)
  expect(await (await post('/echo', '{"a":1}')).json()).toEqual({ a: 1 })
  expect((await post('/echo', JSON.stringify('x'.repeat(200)))).status).toBe(413)
  expect((await fetch(`${at.url}/fusionauth-webhook`)).status).toBe(404)
})

test('starts with Fastify, and stops with it', async () => {
  const { webhook } = newWebhook()
  const app = Fastify()
  await app.register(fusewire(webhook))
  await app.ready()
  await app.close()
  await expect(webhook.drain()).rejects.toMatchObject({ code: 'FW_STOPPED' })
})

test('a missing secret stops the start', async () => {
  const webhook = new Webhook({ authenticate: signature({ secret: () => undefined }), inbox: 'none', log })
  const app = Fastify()
  await app.register(fusewire(webhook))
  await expect(app.ready()).rejects.toMatchObject({ code: 'FW_KEY_MISSING' })
  await app.close()
})
