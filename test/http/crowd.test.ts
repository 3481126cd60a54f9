import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import { promisify } from 'node:util'
import { apiKey, Webhook } from 'fusewire'
import { toNodeHandler } from 'fusewire/node'
import { startServer } from 'fusewire/server'
import { describe, expect, test } from 'vitest'
import { connectionsOf } from '../../src/http/connections.ts'
import { selfSigned } from '../emulator/self-signed.ts'
import { good, key, userDelete } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { listen, post, type Raw, raw, statuses } from '../support/raw.ts'
import { sendTo } from '../support/rims.ts'

/** Both ends of each socket are files of this process. */
const fileLimit = Number(/Max open files\s+(\d+)/.exec(limits())?.[1] ?? 1024)
const crowd = Math.min(5000, Math.floor((fileLimit - 200) / 2))
if (crowd < 5000)
  console.warn(`The file limit of ${fileLimit} lets ${crowd} idle sockets be tried instead of 5,000`)

function limits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return '' // Only Linux tells; elsewhere the usual least.
  }
}

async function idle(port: number, count: number, text = ''): Promise<readonly Raw[]> {
  const held = []
  for (let opened = 0; opened < count; opened += 250) {
    held.push(...(await Promise.all(Array.from({ length: Math.min(250, count - opened) }, () => raw(port)))))
  }
  if (text !== '') for (const connection of held) connection.write(text)
  return held
}

function request(body: string, path = '/'): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  return post([`Authorization: ${key}`, 'Content-Type: application/json', length], body, path)
}

const openOf = (server: Server) => promisify(server.getConnections.bind(server))()

test(`in a crowd of ${crowd} that say nothing a good request takes under 50 ms`, async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  await using at = await listen(webhook)
  const held = await idle(at.port, crowd)
  try {
    const took = []
    for (let round = 0; round < 9; round++) {
      const startedAt = performance.now()
      expect((await sendTo(at.port, { headers: good, body: userDelete() })).status).toBe(200)
      took.push(performance.now() - startedAt)
    }
    expect(took.toSorted((a, b) => a - b)[4]).toBeLessThan(50)
    expect(await openOf(at.server)).toBeLessThanOrEqual(2000)
  } finally {
    for (const { socket } of held) socket.destroy()
  }
})

test('beyond the limit the oldest stranger goes, with or without a request; who was authenticated stays', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  await using at = await listen(webhook, (server) => {
    connectionsOf(server).limit = 3
  })
  const known = await raw(at.port)
  known.write(request(userDelete()))
  await expect.poll(() => known.received()).toContain('200 OK')
  const first = await raw(at.port)
  first.write('P')
  const second = await raw(at.port)
  const third = await raw(at.port)
  await first.closed
  expect([known, second, third].map(({ socket }) => socket.readyState)).toEqual(['open', 'open', 'open'])
  for (const { socket } of [known, second, third]) socket.destroy()
})

test('where every place is taken by authenticated senders, one that was silent for 3 s makes room', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  await using at = await listen(webhook, (server) => {
    connectionsOf(server).limit = 2
  })
  const [first, second] = [await raw(at.port), await raw(at.port)]
  for (const connection of [first, second]) {
    connection.write(request(userDelete()))
    await expect.poll(() => connection.received()).toContain('200 OK')
  }
  const tooSoon = await raw(at.port)
  await tooSoon.closed
  await pause(3100)
  const third = await raw(at.port)
  await first.closed
  expect([second, third].map(({ socket }) => socket.readyState)).toEqual(['open', 'open'])
  for (const { socket } of [tooSoon, second, third]) socket.destroy()
})

test('over TLS too, who was authenticated stays', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  const handle = toNodeHandler(webhook)
  const server = createServer({ key: selfSigned.key, cert: selfSigned.certificate }, (asked, response) => {
    void handle(asked, response)
  })
  connectionsOf(server).limit = 2
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve))
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  const known = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
  let received = ''
  known.on('data', (bytes) => (received += String(bytes)))
  known.write(request(userDelete()))
  await expect.poll(() => received).toContain('200 OK')
  const strangers = await idle(port, 4)
  received = ''
  known.write(request(userDelete()))
  await expect.poll(() => received).toContain('200 OK')
  for (const { socket } of strangers) socket.destroy()
  known.destroy()
  await new Promise((resolve) => server.close(resolve))
})

test('a secure server counts the sockets underneath, so a crowd that never shakes hands is held to the limit', async () => {
  const server = createServer({ key: selfSigned.key, cert: selfSigned.certificate })
  connectionsOf(server).limit = 10
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve))
  const { port } = server.address() as AddressInfo // A listening TCP server has one.
  const held = await idle(port, 100)
  await expect.poll(() => openOf(server)).toBe(10)
  for (const { socket } of held) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

test('idle sockets are let go after the time headers may take', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  await using at = await listen(webhook, (server) => {
    server.headersTimeout = 200
  })
  const held = await idle(at.port, 100)
  await Promise.all(held.map(({ closed }) => closed))
  for (const { socket } of held) socket.destroy()
})

/** Two thousand requests before it may take a busy machine seconds. */
const patient = { timeout: 15_000 }

describe('when 2,000 strangers hold all places', { skip: crowd < 2100 }, () => {
  test.each([
    ['one byte', 'P'],
    [
      'a complete request without credentials',
      post(['Content-Type: application/json', 'Content-Length: 2'], '{}', '/fusionauth-webhook'),
    ],
    ['GET /livez', 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a body that does not come', post(['Content-Length: 2000000'], '', '/fusionauth-webhook')],
  ])(
    'by %s each, new senders are answered, and a known one keeps its connection',
    async (_what, text) => {
      const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
      await using server = await startServer({
        webhook,
        door: { port: 0, hostname: '127.0.0.1' },
        signals: false,
        log: keptLog(),
      })
      const port = Number(new URL(server.url).port)
      const good = () => request(userDelete(), '/fusionauth-webhook')
      await using known = await raw(port)
      known.write(good())
      await expect.poll(() => statuses(known.received()), patient).toEqual([200])
      const strangers = await idle(port, 2000, text)
      try {
        for (let count = 0; count < 10; count++) {
          await using fresh = await raw(port)
          fresh.write(good())
          await expect.poll(() => statuses(fresh.received()), patient).toEqual([200])
        }
        known.write(good())
        await expect.poll(() => statuses(known.received()), patient).toEqual([200, 200])
      } finally {
        for (const { socket } of strangers) socket.destroy()
      }
    },
    60_000,
  )
})
