import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { hardenServer, toNodeHandler } from 'fusewire/node'
import { sample } from 'fusewire/testing'
import { seededRandom } from '../support/seeded-random.ts'

const key = 'the key of this test'
const log = { info: () => {}, warn: () => {}, error: () => {} }
const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log })
const handle = toNodeHandler(webhook)
const server = hardenServer(createServer((request, response) => void handle(request, response)))
const random = seededRandom()
const escaped: unknown[] = []
const note = (error: unknown) => void escaped.push(error)
let port = 0

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port // A listening TCP server has one.
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => void process.on('uncaughtExceptionMonitor', note).on('unhandledRejection', note))
afterEach(() => void process.off('uncaughtExceptionMonitor', note).off('unhandledRejection', note))

async function goodRequest(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { authorization: key, 'content-type': 'application/json' },
    body: JSON.stringify({ event: sample('user.create') }),
  })
  return response.status
}

/** Writes, lets the server answer what it likes for a moment, and goes. */
async function throwAt(bytes: Uint8Array | string): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.resume()
  await once(socket, 'connect')
  socket.write(bytes)
  await new Promise((resolve) => setTimeout(resolve, 1 + random.int(7)))
  socket.destroy()
}

const pick = <T>(values: readonly T[]): T => values[random.int(values.length)] as T // Never empty here.

function randomRequest(): string {
  const names = [
    'Host',
    'Content-Type',
    'Content-Length',
    'Transfer-Encoding',
    'Expect',
    'Authorization',
    'Content-Encoding',
    'X-FusionAuth-Signature-JWT',
    '__proto__',
    'constructor',
  ]
  const values = [
    '',
    'a',
    key,
    'application/json',
    '0',
    '5',
    '-1',
    '99999999999',
    'chunked',
    'gzip',
    '100-continue',
    'a.b.c',
    'Basic !!!',
    '\u00ff'.repeat(9),
  ]
  const lines = Array.from({ length: random.int(8) }, () => `${pick(names)}: ${pick(values)}`)
  const body = pick([
    '',
    '{}',
    '{"event":{}}',
    '{"event":{"type":"user.create"}}',
    '5\r\nhello\r\n0\r\n\r\n',
    '\0\0\0',
    '['.repeat(2000),
  ])
  return `${pick(['POST', 'GET', 'PUT', 'POST', 'POST'])} ${pick(['/', '*', '//x', 'http://a/b', '/%00'])} HTTP/1.${pick(['0', '1'])}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

test('thousands of random requests and random bytes leave nothing but answers behind', async () => {
  for (let round = 0; round < 100; round++) {
    const thrown = Array.from({ length: 30 }, () =>
      random.int(3) === 0 ? random.bytes(1 + random.int(399)) : randomRequest(),
    )
    await Promise.all(thrown.map(throwAt))
  }
  expect(escaped).toEqual([])
  expect(await goodRequest()).toBe(200)
}, 60_000)
