import express5 from 'express'
// @ts-expect-error the types come for one version at a time
import untyped4 from 'express4'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { apiKey, Webhook } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import { describe, expect, test } from 'vitest'
import { good, key, userDelete } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { sendTo } from '../support/rims.ts'

const express4 = untyped4 as typeof express5 // What this file uses is the same in both.
const newWebhook = () => new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })

/** A Request whose body is this stream. */
const requestOf = (body: ReadableStream<unknown>) =>
  // What a careless host may hand over; the types of Request would refuse it.
  new Request('http://localhost/', {
    method: 'POST',
    headers: good,
    body: body as ReadableStream,
    duplex: 'half',
  })

describe('webhook.fetch is handed', () => {
  test('a body that somebody else holds: 500 with the fix, at once', async () => {
    const request = requestOf(ReadableStream.from([Buffer.from(userDelete())]))
    request.body?.getReader()
    const response = await newWebhook().fetch(request)
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringContaining('"[FW_BODY_READ]"'),
    ])
  })

  test.each([
    ['texts', [userDelete().slice(0, 50), userDelete().slice(50)]],
    ['one text', [userDelete()]],
    ['numbers', [1, 2, 3]],
    ['null', [null]],
    ['an ArrayBuffer', [new ArrayBuffer(8)]],
    ['a DataView', [new DataView(new ArrayBuffer(8))]],
  ])('%s instead of bytes: refused, and nothing is left unhandled', async (_, chunks) => {
    const response = await newWebhook().fetch(requestOf(ReadableStream.from<unknown>(chunks)))
    expect(response.status).toBe(400)
    await pause(10) // vitest fails on an unhandled rejection
  })

  test('a body that fails: 400', async () => {
    const failing = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
    expect((await newWebhook().fetch(requestOf(failing))).status).toBe(400)
  })
})

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s', (_, express) => {
  test.each([
    ['a parser of other media types', () => express.urlencoded({ extended: true })],
    ['a parser of other JSON', () => express.json({ type: 'application/vnd.api+json' })],
  ])('takes the body that %s has left alone', async (_name, parser) => {
    const app = express()
    const handle = toNodeHandler(newWebhook())
    app.use(parser())
    app.post('/', (request, response) => void handle(request, response))
    const server = createServer(app as unknown as RequestListener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // A listening TCP server has one.
    const { status } = await sendTo(port, { headers: good, body: userDelete() })
    server.close()
    expect(status).toBe(200)
  })
})
