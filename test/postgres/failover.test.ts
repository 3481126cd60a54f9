import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { request } from 'fusewire/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { arrival } from '../../src/testing/arrival.ts'
import { proxy } from '../chaos/postgres-proxy.ts'
import { inboxWith } from './inbox.ts'
import { type OwnServer, ownServer, query, schema, standbyOf } from './server.ts'

const quiet = { info() {}, warn() {}, error() {} }

describe('postgres, when its server is away', () => {
  let server: OwnServer
  beforeAll(async () => {
    server = await ownServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  test('answers 503 meanwhile, and works again by itself', async () => {
    await using inbox = await schema(server)
    await using webhook = new Webhook({
      authenticate: apiKey('a key for these tests only'),
      inbox: postgres(server.url, { schema: inbox.name }),
      log: quiet,
    })
    const handled: string[] = []
    webhook.on('user.update.complete', ({ event }) => handled.push(event.id ?? ''))
    await webhook.start()
    const post = (id: string) =>
      webhook.fetch(request('user.update.complete', { id }, { apiKey: 'a key for these tests only' }))
    const [before, after] = [randomUUID(), randomUUID()]
    expect((await post(before)).status).toBe(200)

    await server.stop()
    expect((await post(randomUUID())).status).toBe(503)
    expect((await post(randomUUID())).status).toBe(503)

    await server.start()
    await vi.waitFor(async () => expect((await post(after)).status).toBe(200), {
      timeout: 10_000,
      interval: 200,
    })
    await vi.waitFor(() => expect(handled).toEqual([before, after]), { timeout: 10_000 })
  })

  test('rides out a restart that is quick', async () => {
    await using inbox = await inboxWith(server, 'a')
    await server.stop()
    const append = inbox.engine.append([arrival('1')])
    await server.start()
    expect(await append).toEqual(['stored'])
  })

  test('keeps what it acknowledged when the server is killed, whatever the defaults of its role', async () => {
    await using inbox = await inboxWith(server, 'a')
    await query(server.url, `alter role postgres set synchronous_commit = 'off'`)
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 20 }, (_, i) => `${round}/${i}`)
      for (const id of ids) await inbox.engine.append([arrival(id)])
      await server.kill()
      await server.start()
      expect(await inbox.engine.known(ids.map((id) => arrival(id)))).toEqual(ids.map(() => true))
    }
    await query(server.url, 'alter role postgres reset all')
  })

  test('refuses on a standby, and works when it is promoted', async () => {
    await using inbox = await inboxWith(server, 'a')
    await server.stop()
    await server.start('standby')
    await expect(inbox.engine.append([arrival('1')])).rejects.toMatchObject({ code: '25006' })
    await expect(inbox.engine.probe()).rejects.toMatchObject({ code: '25006' })

    await query(server.url, 'select pg_promote()')

    await inbox.engine.probe()
    expect(await inbox.engine.append([arrival('1')])).toEqual(['stored'])
  })
})

test('a failover to a synchronous standby loses nothing, and the fleet follows it', async () => {
  await using primary = await ownServer()
  await using standby = await standbyOf(primary, 'second')
  await query(primary.url, `alter system set synchronous_standby_names = 'second'`)
  await query(primary.url, 'select pg_reload_conf()')
  await vi.waitFor(async () => {
    const replicas = await query(primary.url, 'select sync_state from pg_stat_replication')
    expect(replicas).toEqual([{ sync_state: 'sync' }])
  })
  await using way = await proxy(primary.port)
  const url = new URL(primary.url)
  url.port = String(way.port)
  await using engine = postgres(url.href)
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])

  const acknowledged: string[] = []
  let stopping = false
  const appending = Promise.all(
    [0, 1, 2, 3].map(async (sender) => {
      for (let n = 0; !stopping;) {
        const id = `${sender}/${n}`
        const appended = await engine.append([arrival(id, { lane: String(sender) })]).catch(() => undefined)
        if (appended === undefined) await sleep(50) // It comes again, as it would from FusionAuth.
        else {
          acknowledged.push(id)
          n++
        }
      }
    }),
  )
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(200), { timeout: 10_000 })
  await primary.kill()
  way.cut()
  way.turn(standby.port)
  await query(standby.url, 'select pg_promote()')
  const before = acknowledged.length
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 200), { timeout: 15_000 })
  stopping = true
  await appending

  expect(await engine.known(acknowledged.map((id) => arrival(id)))).toEqual(acknowledged.map(() => true))
  const handled: string[] = []
  while (handled.length < acknowledged.length) {
    const { leases } = await engine.claim([{ handler: 'a', limit: 100 }], 30_000)
    handled.push(...leases.map(({ event }) => event.key.id))
    await engine.settle(leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } })))
  }
  for (const sender of ['0', '1', '2', '3']) {
    const ofSender = (ids: readonly string[]) => ids.filter((id) => id.startsWith(`${sender}/`))
    expect(ofSender(handled)).toEqual(ofSender(acknowledged))
  }
}, 60_000)
