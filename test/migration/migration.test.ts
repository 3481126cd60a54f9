import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { apiKey, Webhook } from 'fusewire'
import { postgres } from 'fusewire/postgres'
import { sqlite } from 'fusewire/sqlite'
import { request } from 'fusewire/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Engine } from '../../src/model/engine.ts'
import type { EventKey } from '../../src/model/event-key.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { anyServer, query, schema, type Server } from '../postgres/server.ts'
import { earlierCommit } from './earlier-code.ts'
import { eventId, instantOf, key, users } from './filled.ts'

const quiet = { info() {}, warn() {}, error() {} }
const fixture = (ending: string) => readFileSync(new URL(`inbox-${earlierCommit}.${ending}`, import.meta.url))

/** An inbox that the code of an earlier commit filled and left in the middle of an attempt, for any number of engines. */
interface Left extends AsyncDisposable {
  open(): Engine
}

describe(`an inbox that ${earlierCommit} wrote, in SQLite`, () => {
  opensMigratesAndDelivers(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fusewire-migration-'))
    const file = join(folder, 'inbox.db')
    writeFileSync(file, gunzipSync(fixture('db.gz')))
    return {
      open: () => sqlite(file),
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
    }
  })
})

describe(`an inbox that ${earlierCommit} wrote, in PostgreSQL`, () => {
  let server: Server
  beforeAll(async () => {
    server = await anyServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  opensMigratesAndDelivers(async () => {
    const inbox = await schema(server)
    await query(server.url, fixture('sql').toString().replaceAll('"fusewire"', inbox.name))
    return {
      open: () => postgres(server.url, { schema: inbox.name }),
      [Symbol.asyncDispose]: () => inbox[Symbol.asyncDispose](),
    }
  })
})

function opensMigratesAndDelivers(unpack: () => Promise<Left>): void {
  test('says of every event what became of it', async () => {
    await using left = await unpack()
    const engine = left.open()
    await using webhook = webhookOn(engine)
    const { inbox } = webhook
    const tenantId = await tenantOf(webhook)

    const idsOf = async (where: Parameters<typeof inbox.page>[0]) =>
      (await inbox.page(where, { order: 'oldest', limit: 500 })).items.map(({ key: { id } }) => id)
    expect(await idsOf({})).toEqual([3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14].map(eventId))
    expect(await idsOf({ state: 'succeeded' })).toEqual([eventId(3)])
    expect(await idsOf({ state: 'dead' })).toEqual([eventId(4)])
    expect(await idsOf({ state: 'refused' })).toEqual([eventId(9)])
    expect(await idsOf({ state: 'conflict' })).toEqual([eventId(3)])
    expect(await idsOf({ state: 'stale' })).toEqual([eventId(8)])
    expect((await inbox.page({ state: 'quarantined' })).items).toHaveLength(1)
    expect(await idsOf({ errorText: 'not now' })).toEqual([eventId(5)])
    expect(await idsOf({ userId: users.leased })).toEqual([10, 11, 12].map(eventId))
    expect(await engine.get(keyOf(1, tenantId))).toMatchObject({ gone: 'pruned' })
    expect(await engine.get(keyOf(2, tenantId))).toMatchObject({ gone: 'erased' })
    expect(await inbox.get(eventId(3))).toMatchObject({ event: { user: { id: users.handled } } })

    const { handlers, aside } = await inbox.stats()
    expect(aside).toBe(3)
    expect(handlers.map(({ handler, pending, dead }) => [handler, pending, dead])).toEqual([
      ['later', 2, 0],
      ['mailer', 6, 1],
    ])
  })

  test('delivers what waited, failed or was being attempted, in order, and what is replayed', async () => {
    await using left = await unpack()
    await using webhook = webhookOn(left.open())
    const handled: string[] = []
    webhook.on('user.update.complete', { name: 'mailer' }, ({ event }) => handled.push(event.id ?? ''))
    webhook.on('user.create.complete', { name: 'later' }, ({ event }) => handled.push(event.id ?? ''))
    await webhook.start()

    const waited = [5, 6, 7, 10, 11, 12, 13, 14].map(eventId)
    await vi.waitFor(() => expect(handled.toSorted()).toEqual(waited), { timeout: 15_000 })
    for (const lane of [
      [5, 6, 7],
      [10, 11, 12],
      [13, 14],
    ]) {
      const ids = lane.map(eventId)
      expect(handled.filter((id) => ids.includes(id))).toEqual(ids)
    }

    handled.length = 0
    await webhook.inbox.replay({ state: 'dead' })
    await webhook.inbox.replay({ state: 'conflict' })
    await vi.waitFor(() => expect(handled).toHaveLength(2), { timeout: 15_000 })
    expect(handled).toContain(eventId(4))
    expect(await webhook.drain({ withinMs: 10_000 })).toMatchObject({ remaining: 0 })
  })

  test('knows what it had seen: resends, what was refused, and who was erased', async () => {
    await using left = await unpack()
    const engine = left.open()
    await using webhook = webhookOn(engine)
    const tenantId = await tenantOf(webhook)
    const again = async (n: number, user: string) => {
      const createInstant = instantOf(n)
      const event = { id: eventId(n), createInstant, linkedObjectId: user, user: { id: user } }
      return (await webhook.fetch(request('user.update.complete', event, { apiKey: key }))).status
    }
    const before = await webhook.inbox.stats()
    for (const [n, user] of [
      [3, users.handled],
      [1, users.pruned],
      [2, users.erased],
    ] as const) {
      expect(await again(n, user)).toBe(200)
    }
    expect(await webhook.inbox.stats()).toMatchObject({ events: before.events, aside: before.aside })
    expect(await engine.get(keyOf(2, tenantId))).toMatchObject({ gone: 'erased' })

    // What a gate refused is no duplicate when it is accepted at last.
    const facts = { source: 'manual', tenantId } as const // 'manual': whatever the year in which this runs.
    const accepted = arrival(eventId(9), { ...facts, createInstant: instantOf(9), type: 'user.delete' })
    expect(await engine.append([accepted])).toEqual(['stored'])
    expect((await webhook.inbox.page({ state: 'refused' })).items).toEqual([])

    // An older event of somebody who was erased comes for the first time: it is kept without what it says.
    const late = { ...facts, createInstant: instantOf(0), subjects: [users.erased] }
    expect(await engine.append([arrival(eventId(99), late)])).toEqual(['stored'])
    expect(await engine.get({ id: eventId(99), tenantId, createInstant: instantOf(0) })).toMatchObject({
      gone: 'erased',
    })
  })
}

function webhookOn(inbox: Engine): Webhook {
  return new Webhook({ authenticate: apiKey(key), inbox, retention: 'none', log: quiet })
}

async function tenantOf({ inbox }: Webhook): Promise<string> {
  const kept = await inbox.get(eventId(3))
  return kept?.key.tenantId ?? ''
}

function keyOf(n: number, tenantId: string): EventKey {
  return { id: eventId(n), tenantId, createInstant: instantOf(n) }
}
