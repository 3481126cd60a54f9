import { promisify } from 'node:util'
import { apiKey, Denied, Webhook } from 'fusewire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { good, key, userDelete } from '../support/door.ts'
import { javaSenders } from '../support/java-senders.ts'
import { keptLog } from '../support/log.ts'
import { type Listening, listen, post, raw, statuses } from '../support/raw.ts'

const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
webhook.gate('user.delete', ({ event }) => {
  if (event.user.id === 'denied') throw new Denied('no')
  if (event.user.id === 'broken') throw new Error('broken')
})
let at: Listening
beforeAll(async () => {
  at = await listen(webhook)
})
afterAll(async () => {
  await at[Symbol.asyncDispose]()
  await webhook.stop()
})

const connections = () => promisify(at.server.getConnections.bind(at.server))()
const denied = () => userDelete({ user: { id: 'denied' } })

const type = 'Content-Type: application/json'
const auth = `Authorization: ${key}`
const withBody = (headers: string[], body: string) =>
  post([...headers, `Content-Length: ${Buffer.byteLength(body)}`], body)

test.each([
  [400, () => withBody([type, auth], '{}')],
  [401, () => withBody([type], userDelete())],
  [405, () => withBody([type, auth], '').replace('POST', 'PUT')],
  [413, () => post([type, auth, 'Content-Length: 999999999'])],
  [415, () => withBody([auth, 'Content-Type: text/plain'], '{}')],
  [422, () => withBody([type, auth], denied())],
  [500, () => withBody([type, auth], userDelete({ user: { id: 'broken' } }))],
])('%i says Connection: close, and closes', async (status, request) => {
  await using connection = await raw(at.port)
  connection.write(request())
  await expect.poll(() => statuses(connection.received())).toEqual([status])
  expect(connection.received()).toMatch(/connection: close\r/i)
  await connection.closed
})

test('503 says Connection: close, and closes', async () => {
  const stopped = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  await stopped.stop()
  await using listening = await listen(stopped)
  await using connection = await raw(listening.port)
  connection.write(withBody([type, auth], userDelete()))
  await connection.closed
  expect(statuses(connection.received())).toEqual([503])
  expect(connection.received()).toMatch(/connection: close\r/i)
})

describe.each(javaSenders)('%s', (_, start) => {
  test('that reads no error body leaves no connection open by 200 denials', async () => {
    await using sender = await start(`http://127.0.0.1:${at.port}/`)
    for (let sent = 0; sent < 200; sent += 20) {
      const statuses = Array.from({ length: 20 }, () => sender.post({ headers: good, body: denied() }))
      expect(new Set(await Promise.all(statuses))).toEqual(new Set([422]))
    }
    await expect.poll(connections).toBe(0)
  })
})
