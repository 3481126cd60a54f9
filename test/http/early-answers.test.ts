import { apiKey, Webhook } from 'fusewire'
import { serve } from 'fusewire/node'
import { startServer } from 'fusewire/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { good, key } from '../support/door.ts'
import { javaSenders } from '../support/java-senders.ts'
import { keptLog } from '../support/log.ts'
import { slowNetwork } from '../support/slow-network.ts'

const path = '/fusionauth-webhook'
const hostname = '127.0.0.1'
const log = keptLog()

const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', bodyLimit: 100_000, log })
const own = new Webhook({ authenticate: apiKey(key), inbox: 'none', bodyLimit: 100_000, log })
let served: Awaited<ReturnType<typeof serve>>
let started: Awaited<ReturnType<typeof startServer>>
beforeAll(async () => {
  served = await serve(webhook, { port: 0, hostname, path })
  started = await startServer({ webhook: own, door: { port: 0, hostname, path }, signals: false, log })
})
afterAll(async () => {
  await served.stop()
  await started.stop()
})

const wrong = { ...good, authorization: 'x' }

const answers = [
  [401, 'a stranger at serve', () => served.url, wrong],
  [413, 'a body that is too large at serve', () => served.url, good],
  [404, 'another path of serve', () => new URL('/elsewhere', served.url).href, good],
  [404, 'another path of startServer', () => new URL('/elsewhere', started.url).href, good],
  [405, 'a POST to /livez', () => new URL('/livez', started.url).href, good],
] as const

describe.each(javaSenders)('%s', (_, start) => {
  async function post(url: string, headers: Readonly<Record<string, string>>, bytes: number) {
    await using network = await slowNetwork(url)
    await using sender = await start(network.url)
    const outcome = await sender.post({ headers, body: Buffer.alloc(bytes, 'x') }).catch(String)
    return { outcome, connections: network.connections }
  }

  test.each(answers)(
    'sends 600 KB through 10 ms of network and reads %i of %s, having sent it once',
    async (status, _what, url, headers) => {
      expect(await post(url(), headers, 600_000)).toEqual({ outcome: status, connections: 1 })
    },
    60_000,
  )

  // One at a time, and not all: 11 MB take 2 s, of the 8 s for which they are discarded.
  test.each(answers.slice(0, 3))(
    'sends 11 MB through 10 ms of network and reads %i of %s, having sent it once',
    async (status, _what, url, headers) => {
      expect(await post(url(), headers, 11_000_000)).toEqual({ outcome: status, connections: 1 })
    },
    60_000,
  )
})
