import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { serve } from 'fusewire/node'
import { sample } from 'fusewire/testing'

const key = 'the key of this test'
const log = { info: () => {}, warn: () => {}, error: () => {} }

function newWebhook() {
  return new Webhook({ authenticate: apiKey(key), inbox: 'none', log })
}

/** Sends an event with the request target exactly as given, which fetch would tidy up. */
function post(port: number, target: string): Promise<number> {
  const body = JSON.stringify({ event: sample('user.create.complete') })
  const headers = {
    authorization: key,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path: target, method: 'POST', headers, agent: false },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

test.each([
  ['/hook', 200],
  ['/hook?from=fusionauth', 200],
  ['http://elsewhere.example/hook', 200],
  ['//hook', 404],
  ['//evil/hook', 404],
  ['/hook/', 404],
  ['/Hook', 404],
  ['/', 404],
])('serves %s with %i', async (target, status) => {
  await using server = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1', path: '/hook' })
  expect(await post(Number(new URL(server.url).port), target)).toBe(status)
})

test('says which port is taken', async () => {
  await using first = await serve(newWebhook(), { port: 0, hostname: '127.0.0.1' })
  const { port } = new URL(first.url)
  await expect(serve(newWebhook(), { port: Number(port), hostname: '127.0.0.1' })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})

test('does not listen when a secret is missing', async () => {
  const webhook = new Webhook({ authenticate: apiKey(() => undefined), inbox: 'none', log })
  await expect(serve(webhook, { port: 0 })).rejects.toMatchObject({ code: 'FW_KEY_MISSING' })
})

test('lets a request under way end before it stops', async () => {
  const { promise: end, resolve: letEnd } = Promise.withResolvers<void>()
  const { promise: begun, resolve: tellBegun } = Promise.withResolvers<void>()
  const webhook = newWebhook()
  webhook.on('user.create.complete', async () => {
    tellBegun()
    await end
  })
  const server = await serve(webhook, { port: 0, hostname: '127.0.0.1', path: '/hook' })
  const answered = post(Number(new URL(server.url).port), '/hook')
  await begun
  const stopped = server.stop()
  letEnd()
  expect(await answered).toBe(200)
  await stopped
  await expect(post(Number(new URL(server.url).port), '/hook')).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
})
