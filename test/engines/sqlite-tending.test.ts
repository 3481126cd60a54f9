import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { place } from './places.ts'

/** How often the files of an inbox hold a text. */
function copies(file: string, text: string): number {
  return [file, `${file}-wal`]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path).toString('latin1').split(text).length - 1)
    .reduce((sum, count) => sum + count, 0)
}

/** Events of many people, in every state, each saying who it is about everywhere it can. */
async function populate(engine: Engine, people: readonly string[], count: number): Promise<void> {
  await engine.subscribe([
    { handler: 'a', types: '*', ordering: 'lane' },
    { handler: 'b', types: ['user.delete.complete'], ordering: 'none' },
  ])
  const now = Date.now()
  for (let done = 0; done < count; done += 100) {
    await engine.append(
      Array.from({ length: 100 }, (_, i) => {
        const person = people[(done + i * 7) % people.length] ?? ''
        const id = randomUUID()
        const text = `${person} ${'x'.repeat(((done + i) * 31) % 3_000)} ${person}`
        return arrival(id, {
          createInstant: now - 10,
          receivedAt: now,
          type: i % 10 === 0 ? 'user.delete.complete' : 'user.update.complete',
          lane: createHash('sha256').update(person).digest('hex'),
          subjects: [person],
          body: Buffer.from(JSON.stringify({ event: { id, user: { id: person }, text } })),
          ...(i % 20 === 3 && { refused: `${person} is not welcome` }),
        })
      }),
    )
    const { leases } = await engine.claim([{ handler: 'a', limit: 50 }], 30_000)
    await engine.settle(
      leases.map((lease, i) => {
        const failure = { at: now, message: `cannot handle ${Buffer.from(lease.event.body).toString()}` }
        const failed = { kind: 'retry', afterMs: 0, failure } as const
        const dead = { kind: 'dead', reason: 'failed', failure } as const
        return { lease, outcome: i % 3 === 0 ? failed : i % 3 === 1 ? dead : { kind: 'succeeded' } }
      }),
    )
  }
}

test('says whether anything of an erased person is left in its files, and compacting leaves nothing', async () => {
  using at = place()
  const engine = sqlite(at.file, { allowVolatile: true })
  const inbox = createInbox(engine)
  const people = Array.from({ length: 10 }, () => randomUUID())
  await populate(engine, people, 3_000)
  for (const userId of people.slice(0, 5)) {
    expect(copies(at.file, userId)).toBeGreaterThan(300)
    const { events, bytes } = await inbox.erase({ userId })
    expect(events).toBeGreaterThan(250)
    expect(bytes).toBe(copies(at.file, userId) === 0 ? 'scrubbed' : 'remnants')
  }
  const [first = ''] = people
  expect(await inbox.erase({ userId: first }, { compact: true })).toMatchObject({
    events: 0,
    bytes: 'scrubbed',
  })
  for (const userId of people.slice(0, 5)) expect(copies(at.file, userId)).toBe(0)
  await engine[Symbol.asyncDispose]()
})

test('keeps nothing of what comes of an erased person again', async () => {
  using at = place()
  const engine = sqlite(at.file, { allowVolatile: true })
  const ada = randomUUID()
  const createInstant = Date.now() - 5
  const body = Buffer.from(`{"event":{"user":{"id":"${ada}"}}}`)
  const conflict = arrival('twice', { createInstant, subjects: [ada], body })
  await engine.append([arrival('twice', { createInstant }), conflict])
  expect(copies(at.file, ada)).toBeGreaterThan(0)
  expect(await createInbox(engine).erase({ userId: ada })).toMatchObject({ events: 1, bytes: 'scrubbed' })

  const late = arrival('late', {
    createInstant: createInstant - 5,
    subjects: [ada],
    body,
    refused: `no ${ada}`,
  })
  expect(await engine.append([late, conflict])).toEqual(['stored', 'conflict'])

  expect(copies(at.file, ada)).toBe(0)
  await engine[Symbol.asyncDispose]()
})

test('says pending while somebody reads an older state of the file', async () => {
  using at = place()
  const engine = sqlite(at.file, { allowVolatile: true })
  const ada = randomUUID()
  await engine.append([arrival('1', { createInstant: Date.now(), subjects: [ada] })])
  const reader = new DatabaseSync(at.file, { readOnly: true })
  reader.exec('begin')
  reader.prepare('select count(*) from fw_events').get()
  expect(await createInbox(engine).erase({ userId: ada })).toMatchObject({ events: 1, bytes: 'pending' })
  reader.exec('commit')
  reader.close()
  expect(await createInbox(engine).erase({ userId: ada })).toMatchObject({ events: 0, bytes: 'scrubbed' })
  await engine[Symbol.asyncDispose]()
})

test('tends a handle, which no other connection may open, beside the writer', async () => {
  using at = place()
  using db = new DatabaseSync(at.file)
  const engine = sqlite(db, { allowVolatile: true })
  const inbox = createInbox(engine)
  const people = [randomUUID(), randomUUID()]
  await populate(engine, people, 400)
  expect((await inbox.page({ state: 'dead' }, { limit: 2 })).items).toHaveLength(2)
  expect((await inbox.stats()).types).toHaveLength(2)
  expect((await inbox.replay({ state: 'dead' })).deliveries).toBeGreaterThan(1)
  expect((await inbox.erase({ userId: people[0] ?? '' })).events).toBeGreaterThan(100)
  await engine[Symbol.asyncDispose]()
})

test('looks in another thread: this one is not held up', async () => {
  using at = place()
  const engine = sqlite(at.file, { allowVolatile: true })
  await populate(engine, [randomUUID()], 5_000)
  await engine.tend?.overview() // The thread has started.
  let longest = 0
  let last = performance.now()
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  const began = performance.now()
  while (performance.now() - began < 300)
    await engine.tend?.find({ errorText: 'nothing says this' }, { limit: 9 })
  clearInterval(watch)
  expect(longest).toBeLessThan(150)
  await engine[Symbol.asyncDispose]()
})

test('finds a replaced file, and the new one in it', async () => {
  using at = place()
  const one = sqlite(at.file, { allowVolatile: true })
  await one.append([arrival('1')])
  expect((await one.tend?.find({}, { limit: 9 }))?.items).toHaveLength(1)
  for (const end of ['', '-wal', '-shm']) renameSync(`${at.file}${end}`, `${at.file}.old${end}`)
  await expect(one.append([arrival('2')])).rejects.toMatchObject({ code: 'FW_INBOX_MOVED' })
  await one.append([arrival('3'), arrival('4')])
  expect((await one.tend?.find({}, { limit: 9 }))?.items).toHaveLength(2)
  await one[Symbol.asyncDispose]()
})
