import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { apiKey, Denied, Webhook } from 'fusewire'
import type { Engine } from 'fusewire'
import { sqlite } from 'fusewire/sqlite'
import { describe, expect, test } from 'vitest'
import { place } from '../engines/places.ts'
import { good, key, mark } from '../support/door.ts'
import { keptLog } from '../support/log.ts'
import { rims } from '../support/rims.ts'

const ada = 'ada00000-0000-4000-8000-000000000001'

/** A body about Ada under this id; `note` makes other bytes of the same event. */
function userDelete(id: string, note = '', createInstant = Date.now() - 60_000): string {
  const user = { id: ada, firstName: mark, data: { note } }
  return JSON.stringify({ event: { type: 'user.delete', id, createInstant, user } })
}

/** A webhook with a gate on a socket, whose inbox is a file. The gate writes down what it was asked and answers as `gate.says`. */
async function gatedDoor(options: { keep?: 'all' | 'handled' } = {}) {
  const at = place()
  const log = keptLog()
  const webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: sqlite(at.file, { allowVolatile: true }) as Engine,
    log,
    ...options,
  })
  const gate: { asked: string[]; says: 'yes' | 'no'; takesMs: number } = {
    asked: [],
    says: 'yes',
    takesMs: 0,
  }
  webhook.gate('user.delete', async ({ event }) => {
    gate.asked.push(String(event.user.data?.['note']))
    await pause(gate.takesMs)
    if (gate.says === 'no') throw new Denied('not now')
  })
  const rim = await rims.node(webhook)
  return {
    webhook,
    gate,
    log,
    send: async (body: string) => (await rim.send({ headers: good, body })).status,
    async [Symbol.asyncDispose]() {
      await rim[Symbol.asyncDispose]()
      await webhook.stop()
      at[Symbol.dispose]()
    },
  }
}

const conflict = 'two events with one id and different bodies'

describe('a gate that refused is asked again', () => {
  test('when the person was erased before the event came', async () => {
    await using door = await gatedDoor()
    await door.webhook.inbox.erase({ userId: ada })
    const body = userDelete(randomUUID())
    door.gate.says = 'no'
    expect([await door.send(body), await door.send(body)]).toEqual([422, 422])
    expect(door.gate.asked).toHaveLength(2)
    door.gate.says = 'yes'
    expect([await door.send(body), await door.send(body)]).toEqual([200, 200])
    expect(door.gate.asked).toHaveLength(3)
  })

  test('when the person was erased after the event was refused', async () => {
    await using door = await gatedDoor()
    const body = userDelete(randomUUID())
    door.gate.says = 'no'
    expect(await door.send(body)).toBe(422)
    await door.webhook.inbox.erase({ userId: ada })
    expect(await door.send(body)).toBe(422)
    expect(door.gate.asked).toHaveLength(2)
  })
})

describe('other bytes under a known id', () => {
  test('are asked about, kept aside and logged', async () => {
    await using door = await gatedDoor()
    const id = randomUUID()
    const [first, other] = [
      userDelete(id, 'first', 1_900_000_000_000),
      userDelete(id, 'other', 1_900_000_000_000),
    ]
    expect(await door.send(first)).toBe(200)
    door.gate.says = 'no'
    expect([await door.send(first), await door.send(other)]).toEqual([200, 422])
    door.gate.says = 'yes'
    expect([await door.send(other), await door.send(other)]).toEqual([200, 200])
    expect(door.gate.asked).toEqual(['first', 'other', 'other'])
    const { items } = await door.webhook.inbox.page({ state: 'conflict' })
    expect(items.map((item) => item.key.id)).toEqual([id])
    expect(door.log.text()).toContain(conflict)
    expect(door.log.text()).not.toContain(mark)
  })

  test('are asked about while the first copy is being decided', async () => {
    await using door = await gatedDoor()
    door.gate.takesMs = 100
    const id = randomUUID()
    const bodies = ['first', 'other', 'first', 'other'].map((note) => userDelete(id, note, 1_900_000_000_000))
    expect(await Promise.all(bodies.map(door.send))).toEqual([200, 200, 200, 200])
    expect(door.gate.asked.toSorted()).toEqual(['first', 'other'])
    expect((await door.webhook.inbox.page({ state: 'conflict' })).items).toHaveLength(1)
    expect(door.log.text()).toContain(conflict)
  })

  test('are asked about and logged where nothing is kept, and run no handler', async () => {
    const log = keptLog()
    const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log })
    const ran: string[] = []
    webhook.gate('user.delete', ({ event }) => {
      ran.push(`gate ${String(event.user.data?.['note'])}`)
      if (event.user.data?.['note'] === 'bad') throw new Denied('no')
    })
    webhook.on('user.delete', { when: 'received' }, () => void ran.push('handler'))
    await using rim = await rims.node(webhook)
    const id = randomUUID()
    const statuses = []
    for (const note of ['first', 'first', 'bad', 'other', 'other', 'first']) {
      const body = userDelete(id, note, 1_900_000_000_000)
      statuses.push((await rim.send({ headers: good, body })).status)
    }
    expect(statuses).toEqual([200, 200, 422, 200, 200, 200])
    expect(ran).toEqual(['gate first', 'handler', 'gate bad', 'gate other'])
    expect(log.text()).toContain(conflict)
    await webhook.stop()
  })
})

test("a gate that let an event pass is not asked again, though keep: 'handled' keeps nothing of it", async () => {
  await using door = await gatedDoor({ keep: 'handled' })
  const id = randomUUID()
  const body = userDelete(id)
  expect([await door.send(body), await door.send(body), await door.send(body)]).toEqual([200, 200, 200])
  expect(door.gate.asked).toHaveLength(1)
  expect((await door.webhook.inbox.page()).items).toEqual([])
  expect(await door.webhook.inbox.get(id)).toBeUndefined()
})

test.each<[string, unknown, number]>([
  ['false', false, 500],
  ['a Response that is not ok', new Response(null, { status: 403 }), 500],
  ['true', true, 200],
  ['a Response that is ok', new Response(null, { status: 204 }), 200],
  ['null', null, 200],
  ['0', 0, 200],
  ['an empty text', '', 200],
  ['the result of a database', { changes: 0 }, 200],
])('a gate that returns %s', async (_, value, status) => {
  for (const given of [() => value, async () => value]) {
    const log = keptLog()
    const webhook = new Webhook({ authenticate: apiKey(key), inbox: 'none', log })
    webhook.gate('user.delete', given)
    webhook.gate('user.create', { onFailure: 'allow' }, given)
    await using rim = await rims.node(webhook)
    const told = await rim.send({ headers: good, body: userDelete(randomUUID()) })
    expect(told.status).toBe(status)
    if (status === 500) expect(log.text()).toContain('throw')
    const allowed = userDelete(randomUUID()).replace('user.delete', 'user.create')
    expect((await rim.send({ headers: good, body: allowed })).status).toBe(200)
    await webhook.stop()
  }
})
