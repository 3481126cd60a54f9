import { DatabaseSync } from 'node:sqlite'
import { randomUUID } from 'node:crypto'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { memory } from 'fusewire/testing'
import { sqlite } from 'fusewire/sqlite'
import type { Engine } from '../../src/model/engine.ts'
import { place } from '../engines/places.ts'
import { good, key } from '../support/door.ts'
import { keptLog } from '../support/log.ts'

function post(id = randomUUID()): Request {
  const event = { type: 'user.delete', id, createInstant: 1_900_000_000_000, user: { id: 'ada' } }
  const body = JSON.stringify({ event })
  return new Request('http://localhost/', { method: 'POST', headers: good, body })
}

function gated(inbox: Engine, gateTimeoutMs = 1500) {
  const asked: string[] = []
  const log = keptLog()
  const webhook = new Webhook({ authenticate: apiKey(key), inbox, gateTimeoutMs, log })
  webhook.gate('user.delete', ({ event }) => void asked.push(event.id))
  return { webhook, asked, log }
}

test('an inbox known to be down is answered 503 before a gate runs, and the gate runs when it is back', async () => {
  let broken = true
  const inbox = memory()
  const failing: Engine = {
    ...inbox,
    append: (arrivals) => (broken ? Promise.reject(new Error('disk full')) : inbox.append(arrivals)),
    probe: () => (broken ? Promise.reject(new Error('disk full')) : inbox.probe()),
  }
  const { webhook, asked } = gated(failing)

  expect((await webhook.fetch(post())).status).toBe(503) // Nobody knew it yet.
  expect(asked).toHaveLength(1)
  const refused = await webhook.fetch(post())
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(asked).toHaveLength(1)

  broken = false
  await expect.poll(async () => (await webhook.fetch(post())).status, { timeout: 5000 }).toBe(200)
  expect(asked).toHaveLength(2)
  await webhook.stop()
})

test('no gate runs until a full disk has taken as much as it refused', async () => {
  let freeBytes = 1_000
  const inbox = memory()
  const take = async <T>(bytes: number, taken: () => Promise<T>): Promise<T> => {
    if (bytes > freeBytes) throw new Error('database or disk is full')
    return taken()
  }
  const full: Engine = {
    ...inbox,
    append: (arrivals) => take(4_096, () => inbox.append(arrivals)),
    probe: (bytes = 0) => take(bytes, () => inbox.probe()),
  }
  const { webhook, asked } = gated(full)
  expect((await webhook.fetch(post())).status).toBe(503) // Nobody knew it yet.
  expect(asked).toHaveLength(1)
  for (let probes = 0; probes < 3; probes++) {
    await sleep(600)
    expect((await webhook.fetch(post())).status).toBe(503)
  }
  expect(asked).toHaveLength(1)

  freeBytes = 1_000_000
  await expect.poll(async () => (await webhook.fetch(post())).status, { timeout: 5000 }).toBe(200)
  await webhook.stop()
})

test('no gate runs while the inbox is full', async () => {
  const inbox = memory()
  const { webhook, asked } = gated(inbox)
  expect((await webhook.fetch(post())).status).toBe(200)
  inbox.tend?.limit(1, () => {})
  for (let sent = 0; sent < 3; sent++) expect((await webhook.fetch(post())).status).toBe(503)
  expect(asked).toHaveLength(1)
  await webhook.stop()
})

test('an inbox that cannot say whether an event is known is answered 503 before a gate runs', async () => {
  const { webhook, asked } = gated({ ...memory(), known: () => Promise.reject(new Error('no connection')) })
  expect((await webhook.fetch(post())).status).toBe(503)
  expect(asked).toEqual([])
  await webhook.stop()
})

test('a full inbox is answered 503 before a gate runs', async () => {
  const { promise: stored, resolve: letStore } = Promise.withResolvers<void>()
  const inbox = memory()
  const slow: Engine = {
    ...inbox,
    append: async (arrivals) => {
      await stored
      return inbox.append(arrivals)
    },
  }
  const { webhook, asked } = gated(slow, 60_000)
  const waiting = Array.from({ length: 12_000 }, () => webhook.fetch(post()))
  await expect.poll(() => asked.length, { timeout: 20_000 }).toBe(waiting.length)
  expect((await webhook.fetch(post())).status).toBe(503)
  expect(asked).toHaveLength(waiting.length)
  letStore()
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200)
  await webhook.stop()
}, 30_000)

test('a locked inbox is answered 503 at the deadline, and keeps the event when the lock is gone: a resend is a duplicate', async () => {
  using at = place()
  const { webhook, asked } = gated(sqlite(at.file, { allowVolatile: true }), 150)
  await webhook.start()
  const id = randomUUID()
  await turn() // What starting writes is written.
  using other = new DatabaseSync(at.file)
  other.exec('begin immediate')
  const began = performance.now()
  const answer = await webhook.fetch(post(id))
  expect(answer.status).toBe(503)
  expect(performance.now() - began).toBeGreaterThanOrEqual(145)
  other.exec('rollback')

  const kept = other.prepare('select count(*) as count from fw_events')
  await expect.poll(() => kept.get()?.['count']).toBe(1)
  expect((await webhook.fetch(post(id))).status).toBe(200)
  expect(kept.get()?.['count']).toBe(1)
  expect(asked).toEqual([id])
  await webhook.stop()
})
