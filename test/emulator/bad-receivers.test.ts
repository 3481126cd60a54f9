import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { clientOf, unchosen } from './client.ts'

/*
 * A receiver may do anything: the attempt is a failure within its timeout, the transaction is decided, the emulator goes on.
 */

let fusionauth: Emulator
const servers: { server: Server; sockets: Set<Socket> }[] = []

beforeEach(async () => {
  fusionauth = await emulate({ allowTargets: ['nowhere.invalid'] })
})

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  await fusionauth[Symbol.asyncDispose]()
})

/** A server that does this with every connection once a request has come. */
async function receiver(respond: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => respond(socket))
  })
  servers.push({ server, sockets })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const ok = 'HTTP/1.1 200 OK\r\n'

const bad: Record<string, () => Promise<string> | string> = {
  'does not resolve': () => 'http://nowhere.invalid/',
  'refuses the connection': async () => {
    const url = await receiver(() => undefined)
    servers.pop()?.server.close()
    return url
  },
  hangs: () => receiver(() => undefined),
  'hangs in the middle of its headers': () => receiver((socket) => socket.write(ok)),
  'hangs in the middle of its body': () =>
    receiver((socket) => socket.write(`${ok}Content-Length: 10\r\n\r\nabc`)),
  'closes without an answer': () => receiver((socket) => socket.destroy()),
  'closes in the middle of its body': () =>
    receiver((socket) => socket.end(`${ok}Content-Length: 10\r\n\r\nabc`)),
  'answers garbage': () => receiver((socket) => socket.end('\u0000\u0001 what?\r\n\r\n')),
  redirects: () =>
    receiver((socket) => socket.end(`HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n`)),
  'streams headers for ever': () => receiver((socket) => forever(socket, ok, 'X-More: yes\r\n')),
  'streams a body for ever': () => receiver((socket) => forever(socket, `${ok}\r\n`, 'x'.repeat(65_536))),
  'drips a body for ever': () => receiver((socket) => drip(socket, `${ok}\r\n`)),
}

function forever(socket: Socket, head: string, more: string): void {
  socket.write(head)
  const write = () => {
    while (!socket.destroyed && socket.write(more));
  }
  socket.on('drain', write)
  write()
}

function drip(socket: Socket, head: string): void {
  socket.write(head)
  const timer = setInterval(() => socket.write('.'), 20)
  socket.on('close', () => clearInterval(timer))
}

test.each(Object.keys(bad))(
  'a receiver that %s',
  async (what) => {
    const url = (await bad[what]?.()) ?? ''
    const client = clientOf(fusionauth)
    await client.createWebhook(unchosen, {
      webhook: {
        url,
        global: true,
        connectTimeout: 300,
        readTimeout: 300,
        eventsEnabled: { 'user.create': true } as never,
      },
    })
    fusionauth.level('user.create', 'Any')

    // Without the timeouts of the webhook this would not end.
    const outcome = await fusionauth.createUser()

    expect(outcome).toMatchObject({ committed: false, status: 504 })
    expect(outcome.events[0]?.attempts).toHaveLength(1)
    const { response } = await client.searchWebhookEventLogs({ search: { eventResult: 'Failed' as never } })
    expect(response.webhookEventLogs?.[0]).toMatchObject({
      eventType: 'user.create',
      failedAttempts: 1,
      successfulAttempts: 0,
      attempts: [{ attemptResult: 'Failure', webhookCallResponse: { url } }],
    })
  },
  30_000,
)

test('an endless answer cannot outweigh the emulator', async () => {
  const url = (await bad['streams a body for ever']?.()) ?? ''
  await fusionauth.connect(url, { types: ['user.create'] })
  const outcome = await fusionauth.createUser()
  expect(outcome).toMatchObject({ committed: true, events: [{ attempts: [{ status: 'refused' }] }] })
})

test('a connection nobody accepts ends by the connect timeout', async () => {
  // Its thread sleeps, so that its queue of two is never emptied and the kernel lets a third wait.
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
     })`,
    { eval: true },
  )
  const [port] = (await once(worker, 'message')) as [number]
  const fillers = await Promise.all([1, 2].map(() => filler(port)))

  await clientOf(fusionauth).createWebhook(unchosen, {
    webhook: {
      url: `http://127.0.0.1:${port}/`,
      global: true,
      connectTimeout: 200,
      readTimeout: 5000,
      eventsEnabled: { 'user.create': true } as never,
    },
  })
  fusionauth.level('user.create', 'Any')
  const outcome = await fusionauth.createUser()

  expect(outcome.events[0]?.attempts).toMatchObject([{ status: 'timeout' }])
  expect(outcome.events[0]?.attempts[0]?.ms).toBeLessThan(1000)
  for (const socket of fillers) socket.destroy()
  await worker.terminate()
})

async function filler(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}
