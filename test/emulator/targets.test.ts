import { afterEach, beforeEach, expect, test } from 'vitest'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { targets } from '../../src/emulator/system/targets.ts'
import { clientOf } from './client.ts'

/*
 * A webhook's URL comes by API: whoever can call the emulator must not make it talk to the network.
 */

let fusionauth: Emulator
let server: Server
let port: number

beforeEach(async () => {
  fusionauth = await emulate()
  server = createServer((request, response) => {
    const location = 'http://169.254.169.254/latest/meta-data/'
    request.resume().on('end', () => response.writeHead(307, { location }).end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await Promise.all([closed, fusionauth[Symbol.asyncDispose]()])
})

async function exceptionOf(url: string): Promise<string | undefined> {
  await fusionauth.connect(url, { types: ['user.create'] })
  const outcome = await fusionauth.createUser()
  expect(outcome.events[0]?.attempts[0]?.status).toBe('refused')
  const { response } = await clientOf(fusionauth).searchWebhookEventLogs({})
  return response.webhookEventLogs?.[0]?.attempts?.[0]?.webhookCallResponse?.exception
}

test.each([
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xa9fea9fe/',
  'http://0251.0376.0251.0376/',
  'http://[::ffff:169.254.169.254]/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://[64:ff9b::169.254.169.254]/',
])('%s is never posted to, and the attempt says so', async (url) => {
  expect(await exceptionOf(url)).toContain('never posted to')
})

test.each(['http://192.0.2.1/', 'http://10.0.0.1/', 'http://[2001:db8::1]/', 'http://0.0.0.0/'])(
  '%s is not posted to unless it is allowed',
  async (url) => {
    expect(await exceptionOf(url)).toContain('not loopback')
  },
)

test('decimal and mapped loopback is loopback', async () => {
  for (const host of ['2130706433', '[::ffff:127.0.0.1]', '127.1', 'localhost']) {
    await fusionauth.connect(`http://${host}:${port}/`, { types: ['user.create'] })
  }
  const { events } = await fusionauth.createUser()
  // ::1 of localhost has nobody listening here, 127.0.0.1 has: one of its addresses answers.
  expect(events[0]?.attempts.map(({ status }) => status)).toEqual([307, 307, 307, 307])
})

test('a redirect is a failed answer and is not followed', async () => {
  await fusionauth.connect(`http://127.0.0.1:${port}/`, { types: ['user.create'] })
  fusionauth.level('user.create', 'Any')
  const outcome = await fusionauth.createUser()
  expect(outcome).toMatchObject({ status: 504, events: [{ attempts: [{ status: 307 }] }] })
})

test('a name is judged by its addresses, at every connection', async () => {
  const lookedUp = (host: string, allowed: string[]) =>
    new Promise<string>((resolve) => {
      targets(allowed).lookup(host, { all: true }, (error, addresses) => {
        resolve(error === null ? JSON.stringify(addresses) : error.message)
      })
    })
  expect(await lookedUp('localhost', [])).toContain('127.0.0.1')
  expect(await lookedUp('169.254.169.254', ['169.254.169.254'])).toContain('never posted to')
  expect(await lookedUp('192.0.2.1', [])).toContain('not loopback')
  expect(await lookedUp('192.0.2.1', ['192.0.2.1'])).toContain('192.0.2.1')
})
