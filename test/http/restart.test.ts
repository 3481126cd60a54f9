import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import { apiKey, Webhook } from 'fusewire'
import { fusewire } from 'fusewire/fastify'
import { hardenServer, serve, toNodeHandler } from 'fusewire/node'
import { startServer } from 'fusewire/server'
import { describe, expect, test } from 'vitest'
import { good, key, userDelete } from '../support/door.ts'
import { javaSenders } from '../support/java-senders.ts'
import { keptLog } from '../support/log.ts'
import { post, raw, statuses } from '../support/raw.ts'
import { slowNetwork } from '../support/slow-network.ts'

const path = '/fusionauth-webhook'
const hostname = '127.0.0.1'

interface Restarted {
  readonly port: number
  stop(): Promise<unknown>
}

/** Every way to a listening receiver whose end is ours. */
const receivers: Readonly<Record<string, (webhook: Webhook<'none'>, port: number) => Promise<Restarted>>> = {
  async serve(webhook, port) {
    const served = await serve(webhook, { port, hostname, path })
    return { port: Number(new URL(served.url).port), stop: () => served.stop() }
  },
  async startServer(webhook, port) {
    const started = await startServer({
      webhook,
      door: { port, hostname, path },
      signals: false,
      log: keptLog(),
    })
    return { port: Number(new URL(started.url).port), stop: () => started.stop() }
  },
  async 'the Fastify plugin'(webhook, port) {
    const app = Fastify({ return503OnClosing: false })
    await app.register(fusewire(webhook), { prefix: path })
    const url = await app.listen({ port, host: hostname })
    return { port: Number(new URL(url).port), stop: () => app.close() }
  },
  async hardenServer(webhook, port) {
    const handle = toNodeHandler(webhook)
    const server = hardenServer(createServer((request, response) => void handle(request, response)))
    await new Promise<void>((resolve) => server.listen(port, hostname, resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP address')
    return {
      port: address.port,
      async stop() {
        await new Promise((resolve) => server.close(resolve))
        await webhook.stop()
      },
    }
  },
}

function counting(): { webhook: Webhook<'none'>; handled: string[] } {
  const handled: string[] = []
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log: keptLog() })
  webhook.on('*', { name: 'count', when: 'received' }, ({ event }) => handled.push(event.id))
  return { webhook, handled }
}

describe.each(javaSenders)('%s', (_, start) => {
  test.concurrent.each(Object.entries(receivers))(
    'loses no event when %s is restarted on its port',
    async (_name, open) => {
      const [before, after] = [counting(), counting()]
      const first = await open(before.webhook, 0)
      await using network = await slowNetwork(`http://${hostname}:${first.port}${path}`)
      await using sender = await start(network.url)
      const send = () => sender.post({ headers: good, body: userDelete() }).catch(String)

      const atOnce = await Promise.all(Array.from({ length: 8 }, send))
      await pause(50)
      const stopped = first.stop()
      const second = await open(after.webhook, first.port)
      const inTurn = []
      for (let count = 0; count < 8; count++) inTurn.push(await send())

      await stopped
      await second.stop()
      expect([...atOnce, ...inTurn]).toEqual(Array.from({ length: 16 }, () => 200))
      expect(before.handled.length + after.handled.length).toBe(16)
    },
  )
})

test('a stop refuses new connections at once, and serves the kept ones for 3 s with Connection: close', async () => {
  const { webhook } = counting()
  const served = await serve(webhook, { port: 0, hostname, path })
  const port = Number(new URL(served.url).port)
  const body = userDelete()
  const request = post(
    [`Authorization: ${key}`, 'Content-Type: application/json', `Content-Length: ${body.length}`],
    body,
    path,
  )
  await using used = await raw(port)
  await using unused = await raw(port)
  used.write(request)
  await expect.poll(() => statuses(used.received())).toEqual([200])
  expect(used.received()).toMatch(/connection: keep-alive/i)
  expect(used.received()).toMatch(/keep-alive: timeout=2\r/i)

  const stopped = served.stop()
  const [refusal] = await once(connect(port, hostname), 'error')
  expect(refusal).toMatchObject({ code: 'ECONNREFUSED' })
  await pause(1500)
  used.write(request)
  await expect.poll(() => statuses(used.received())).toEqual([200, 200])
  expect(used.received().split('HTTP/1.1 200')[2]).toMatch(/connection: close/i)
  await used.closed
  await unused.closed
  await stopped
})

test('a stop does not wait for a connection that was last used 3 s ago', async () => {
  const { webhook } = counting()
  const served = await serve(webhook, { port: 0, hostname, path })
  await using silent = await raw(Number(new URL(served.url).port))
  await pause(3100)
  const startedAt = performance.now()
  await served.stop()
  await silent.closed
  expect(performance.now() - startedAt).toBeLessThan(1500)
})
