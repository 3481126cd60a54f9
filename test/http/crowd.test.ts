import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { promisify } from 'node:util'
import { apiKey, Webhook } from 'fusewire'
import { expect, test } from 'vitest'
import { limitConnections } from '../../src/http/limit-connections.ts'
import { selfSigned } from '../emulator/self-signed.ts'
import { good, key, userDelete } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { listen, type Raw, raw } from '../support/raw.ts'
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

async function idle(port: number, count: number): Promise<readonly Raw[]> {
  const held = []
  for (let opened = 0; opened < count; opened += 250) {
    held.push(...(await Promise.all(Array.from({ length: Math.min(250, count - opened) }, () => raw(port)))))
  }
  return held
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

test('beyond the limit the longest silent goes; who has sent a request stays', async () => {
  await using webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  await using at = await listen(webhook, (server) => limitConnections(server, 3))
  const known = await raw(at.port)
  known.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect.poll(() => known.received()).toContain('405')
  const first = await raw(at.port)
  const second = await raw(at.port)
  const third = await raw(at.port)
  await first.closed
  expect([known, second, third].map(({ socket }) => socket.readyState)).toEqual(['open', 'open', 'open'])
  for (const { socket } of [known, second, third]) socket.destroy()
})

test('a secure server counts the sockets underneath, so a crowd that never shakes hands is held to the limit', async () => {
  const server = createServer({ key: selfSigned.key, cert: selfSigned.certificate })
  limitConnections(server, 10)
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
