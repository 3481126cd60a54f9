import { expect, test } from 'vitest'
import { Webhook, apiKey } from '../../src/index.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import type { Engine } from '../../src/model/engine.ts'
import { request, sample } from '../../src/testing/index.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { arrival } from '../../src/testing/arrival.ts'

const key = 'a key of sixteen bytes'

async function filled(count: number, clock = handClock()) {
  const engine: Engine = memory({ clock })
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: engine })
  await engine.append(
    Array.from({ length: count }, (_, i) =>
      arrival(String(i), { subjects: [`u${i % 2}`], receivedAt: clock.now() }),
    ),
  )
  return { engine, inbox: webhook.inbox, webhook }
}

async function listed<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

test('finds an event by its id, with what its body says', async () => {
  const webhook = new Webhook({ authenticate: apiKey(key), inbox: memory() })
  const event = sample('user.delete')
  const { status } = await webhook.fetch(request('user.delete', event, { headers: { authorization: key } }))
  expect(status).toBe(200)
  const kept = await webhook.inbox.get(event.id.toUpperCase())
  expect(kept?.event).toMatchObject({ type: 'user.delete', user: { id: event.user.id } })
  expect(await webhook.inbox.get('nobody')).toBeUndefined()
  expect((await listed(webhook.inbox.find({ userId: event.user.id.toUpperCase() }))).length).toBe(1)
})

test('iterates over every page, and stops when it is told', async () => {
  const { inbox } = await filled(250)
  expect(await listed(inbox.find())).toHaveLength(250)
  expect(await listed(inbox.find({ userId: 'u1' }, { order: 'oldest' }))).toHaveLength(0) // Ids are hashed: 'u1' is none.
  const stop = new AbortController()
  const seen = []
  await expect(async () => {
    for await (const { key } of inbox.find({}, { signal: stop.signal })) {
      seen.push(key)
      if (seen.length === 5) stop.abort(new Error('enough'))
    }
  }).rejects.toThrow('enough')
  expect(seen.length).toBeLessThanOrEqual(100)
})

test('exports events as they are, a line each, and goes on where it was stopped', async () => {
  const { engine, inbox } = await filled(150)
  await engine.append([
    arrival('text', { body: Buffer.from('{"__proto__":1,\n"a":9223372036854775807}') }),
    arrival('bytes', { body: Buffer.from([0xff, 0x00]) }),
  ])
  let next: string | undefined
  const stop = new AbortController()
  const lines: string[] = []
  const options = {
    signal: stop.signal,
    onProgress(progress: { done: number; next?: string }) {
      next = progress.next
      if (progress.done === 100) stop.abort()
    },
  }
  await expect(async () => {
    for await (const line of inbox.export({}, options)) lines.push(line)
  }).rejects.toThrow('aborted')
  expect(lines).toHaveLength(100)
  lines.push(...(await listed(inbox.export({}, next === undefined ? {} : { after: next }))))
  const exported = lines.map(
    (line) => JSON.parse(line) as { key: { id: string }; body?: string; bodyBase64?: string },
  )
  expect(exported.map(({ key: { id } }) => id).slice(0, 150)).toEqual(
    Array.from({ length: 150 }, (_, i) => String(i)),
  )
  expect(exported.at(-2)?.body).toBe('{"__proto__":1,\n"a":9223372036854775807}')
  expect(exported.at(-1)?.bodyBase64).toBe('/wA=')
})

test('asks for what it does not understand', async () => {
  const { inbox } = await filled(1)
  const wrong: readonly (() => unknown)[] = [
    () => inbox.replay({}),
    () => inbox.replay({ handler: 'nobody' }),
    () => inbox.page({}, { limit: 501 }),
    () => inbox.page({ userId: '' }),
    () => inbox.page({ receivedAfter: Number.NaN }),
    () => inbox.page({ state: ['dead', 'conflict'] }),
    () => inbox.page({ state: 'done' as 'dead' }),
    () => inbox.prune({ before: new Date('yesterday') }),
    () => inbox.erase({ userId: '' }),
  ]
  for (const ask of wrong) await expect(ask()).rejects.toMatchObject({ code: 'FW_OPTION' })
})

test('tells how far it is, and stops between two steps', async () => {
  const { engine, inbox } = await filled(1_200)
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'none' }])
  const stop = new AbortController()
  const told: number[] = []
  const replaying = inbox.replay(
    { handler: 'a' },
    {
      signal: stop.signal,
      onProgress({ done }) {
        told.push(done)
        if (told.length === 2) stop.abort(new Error('enough'))
      },
    },
  )
  await expect(replaying).rejects.toThrow('enough')
  expect(told).toHaveLength(2)
  expect((await inbox.stats()).handlers[0]?.pending).toBe(told[1])
})

test('says what an erasure did and what it cannot reach', async () => {
  const { engine, inbox } = await filled(0)
  const ada = 'ada00000-0000-4000-8000-000000000001'
  await engine.append([arrival('1', { subjects: [ada] }), arrival('2')])
  const report = await inbox.erase({ userId: ada.toUpperCase() })
  expect(report).toMatchObject({ events: 1, deliveries: 0, bytes: 'scrubbed' })
  expect(report.unreached.length).toBeGreaterThan(0)
  expect(await listed(inbox.find())).toHaveLength(1)
})

test('has no inbox where nothing is kept', () => {
  const inbox: undefined = new Webhook({ authenticate: apiKey(key), inbox: 'none' }).inbox
  expect(inbox).toBeUndefined()
})
