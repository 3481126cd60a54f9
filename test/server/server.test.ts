import { expect, test } from 'vitest'
import { startServer } from 'fusewire/server'
import { apiKey, Webhook } from 'fusewire'
import { memory, sample } from 'fusewire/testing'
import { ask, rig } from './rig.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }

test('keeps every event without handlers', async () => {
  await using server = await rig()
  expect(await server.send(sample('user.create.complete'))).toBe(200)
  expect(await server.send({ type: 'newer.than.us', id: 'a', createInstant: Date.now() })).toBe(200)
})

test('the door serves the webhook and /livez, and nothing of the admin listener', async () => {
  await using server = await rig()
  const port = Number(new URL(server.server.url).port)
  const statusOf = async (target: string, method = 'GET') => (await ask(port, target, { method })).status
  expect(await statusOf('/livez')).toBe(200)
  expect(await statusOf('/livez', 'POST')).toBe(405)
  for (const path of ['/', '/readyz', '/metrics', '/fusewire/api/events', '//livez', '/livez/']) {
    expect(await statusOf(path)).toBe(404)
  }
})

test('is ready until it stops, and says so until its handlers have ended', async () => {
  const { promise: begun, resolve: tellBegun } = Promise.withResolvers<void>()
  const { promise: end, resolve: letEnd } = Promise.withResolvers<void>()
  const server = await rig((webhook) =>
    webhook.on('user.create.complete', async () => {
      tellBegun()
      await end
    }),
  )
  expect((await server.ask('/readyz')).text).toBe('ready\n')
  expect(await server.send(sample('user.create.complete'))).toBe(200)
  await begun
  let stopped = false
  void server.server.stopped.then(() => (stopped = true))
  const stopping = server.server.stop()
  expect((await server.ask('/readyz')).status).toBe(503)
  expect(stopped).toBe(false)
  letEnd()
  await stopping
  await server.server.stopped
})

test('a port that is taken leaves nothing behind: the webhook is stopped', async () => {
  await using first = await rig()
  const webhook = new Webhook({ authenticate: apiKey('a key of 16 bytes'), inbox: memory(), log })
  const port = Number(new URL(first.server.url).port)
  const second = startServer({ webhook, door: { port, hostname: '127.0.0.1' }, log })
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await expect(webhook.drain()).rejects.toMatchObject({ code: 'FW_STOPPED' })
})

test.each(['hook', '/hook?a=b', '/livez', '/ho ok'])('refuses the path %s', async (path) => {
  const webhook = new Webhook({ authenticate: apiKey('a key of 16 bytes'), inbox: memory(), log })
  await expect(startServer({ webhook, door: { path }, log })).rejects.toMatchObject({ code: 'FW_OPTION' })
})
