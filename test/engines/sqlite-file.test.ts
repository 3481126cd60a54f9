import { execFile } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sqlite, type SqliteOptions } from '../../src/engines/sqlite/index.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { inTestsHands, takeDisk } from '../support/disk.ts'
import { place } from './places.ts'

vi.mock(import('../../src/engines/sqlite/storage/disk-thread.ts'), async (original) => {
  const { startDiskThread } = await original()
  return { startDiskThread: () => inTestsHands(startDiskThread()) }
})

const run = promisify(execFile)
const everything = { handler: 'a', types: '*', ordering: 'lane' } as const
const failure = { at: 0, message: 'it failed' }

function newFile(): string {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  return file
}

/** Closed with its test, so before its folder goes. */
function inbox(file: string | DatabaseSync, options: SqliteOptions = {}): Engine {
  const engine = sqlite(file, { allowVolatile: true, ...options })
  onTestFinished(() => engine[Symbol.asyncDispose]())
  return engine
}

// ── opening

test('makes the files for their owner alone', async () => {
  const file = newFile()
  await inbox(file).append([arrival('1')])
  for (const name of [file, `${file}-wal`, `${file}-shm`])
    expect(statSync(name).mode & 0o777, name).toBe(0o600)
})

test('says aloud all that durability hangs on', async () => {
  const file = newFile()
  const db = new DatabaseSync(file)
  db.exec('pragma synchronous = off; pragma secure_delete = off')
  await inbox(db).append([arrival('1')])
  const setting = (name: string): unknown => Object.values(db.prepare(`pragma ${name}`).get() ?? {})[0]
  expect(setting('journal_mode')).toBe('wal')
  expect(setting('synchronous')).toBe(1) // SQLite syncs when it moves the log; we sync the log itself.
  expect(setting('secure_delete')).toBe(1)
  expect(setting('page_size')).toBe(16_384)
})

// ── the disk

test('waits for the disk when it must: for events and atomic handlers, for the rest once a second', async () => {
  using disk = takeDisk()
  const clock = handClock()
  const engine = inbox(newFile(), { clock })
  const syncsOf = async (call: () => unknown): Promise<number> => {
    const before = disk.syncs
    await call()
    return disk.syncs - before
  }
  const claim = () => engine.claim([{ handler: 'a', limit: 1 }], 60_000)
  await engine.subscribe([everything])
  expect(await syncsOf(() => engine.append([arrival('1'), arrival('2'), arrival('3')]))).toBe(1)

  const first = await claim()
  const succeeded = first.leases.map((lease) => ({ lease, outcome: { kind: 'succeeded' } as const }))
  expect(await syncsOf(() => engine.settle(succeeded))).toBe(0)
  const second = await claim()
  const atomic = () => Promise.all(second.leases.map(async (lease) => engine.atomic?.(lease, () => {})))
  expect(await syncsOf(atomic)).toBe(1)
  const third = await claim()
  await clock.advance(1_000)
  expect(await syncsOf(() => engine.renew(third.leases, 60_000))).toBe(1)
})

test('answers for an event when it is on disk, and for what needs no disk meanwhile', async () => {
  using disk = takeDisk()
  const engine = inbox(newFile())
  await engine.subscribe([everything])
  await engine.append([arrival('1')])
  disk.hold()
  const before = disk.syncs
  const answered: string[] = []
  const appends = []
  for (const id of ['2', '3', '4']) {
    appends.push(engine.append([arrival(id)]).then(() => answered.push(id)))
    await turn() // Each has a commit of its own.
  }
  expect((await engine.claim([{ handler: 'a', limit: 1 }], 30_000)).leases).toHaveLength(1)
  expect(answered).toEqual([])
  expect(disk.syncs).toBe(before + 1)
  disk.release()
  await Promise.all(appends)
  expect(answered).toEqual(['2', '3', '4'])
  expect(disk.syncs).toBe(before + 2) // The first began before the others were written, and says nothing of them.
})

test('tells nobody of an event that is not on disk yet, not even another process', async () => {
  using disk = takeDisk()
  const file = newFile()
  const [one, other] = [inbox(file), inbox(file)]
  await Promise.all([one.open(), other.open()])
  disk.hold()
  const appended = one.append([arrival('1')])
  await expect.poll(() => disk.syncs).toBe(1)
  const told: string[] = []
  const known = other.known([arrival('1')]).then(([is]) => told.push(`known ${is}`))
  const again = other.append([arrival('1')]).then(([answer]) => told.push(String(answer)))
  await expect.poll(() => disk.syncs).toBeGreaterThan(1)
  expect(told).toEqual([])
  disk.release()
  expect(await appended).toEqual(['stored'])
  await Promise.all([known, again])
  expect(told.toSorted()).toEqual(['duplicate', 'known true'])
})

test('trusts nothing after a sync that failed before all of it is written once more', async () => {
  using disk = takeDisk()
  const file = newFile()
  const engine = inbox(file)
  await engine.subscribe([everything])
  await engine.append([arrival('1')])

  disk.hold()
  const refused = engine.append([arrival('2')])
  refused.catch(() => {})
  await expect.poll(() => disk.syncs).toBe(3)
  const reader = new DatabaseSync(file, { readOnly: true })
  reader.exec('begin')
  reader.prepare('select count(*) from fw_events').get()
  disk.release(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
  await expect(refused).rejects.toThrow('EIO')

  disk.release()
  // Who reads an older state keeps the log from being moved; as long as that is so, nothing is told for true.
  await expect(engine.append([arrival('2')])).rejects.toMatchObject({ code: 'FW_INBOX_LOCKED' })
  await expect(engine.known([arrival('2')])).rejects.toMatchObject({ code: 'FW_INBOX_LOCKED' })
  reader.close()
  expect(await engine.append([arrival('2')])).toEqual(['duplicate'])
  expect((await engine.stats()).events).toBe(2)
})

test('settles and claims the next of a lane in one commit', async () => {
  const engine = inbox(newFile())
  await engine.subscribe([everything])
  await engine.append(['1', '2'].map((id) => arrival(id, { lane: 'u' })))
  const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
  const [lease] = leases
  if (lease === undefined || engine.atomic === undefined) throw new Error('nothing leased')
  const [settled, next] = await Promise.all([
    engine.atomic(lease, () => {}),
    engine.claim([{ handler: 'a', limit: 2 }], 30_000),
  ])
  expect(settled).toBe('settled')
  expect(next.leases.map(({ event }) => event.key.id)).toEqual(['2'])
})

test('runs an atomic handler once, though an arrival of the same commit is poison', async () => {
  const engine = inbox(newFile())
  await engine.subscribe([everything])
  await engine.append([arrival('1')])
  const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], 30_000)
  const [lease] = leases
  if (lease === undefined || engine.atomic === undefined) throw new Error('nothing leased')
  let runs = 0
  const [settled, appended] = await Promise.all([
    engine.atomic(lease, () => void runs++),
    engine.append([arrival('poison', { receivedAt: Number.NaN })]),
  ])
  expect([settled, appended, runs]).toEqual(['settled', ['quarantined'], 1])
})

test('refuses a schema of a newer version, and leaves it alone', async () => {
  const file = newFile()
  await using first = sqlite(file, { allowVolatile: true })
  await first.append([arrival('1')])
  using db = new DatabaseSync(file)
  db.exec(`update fw_meta set value = 99 where name = 'schema'`)

  await expect(inbox(file).append([arrival('2')])).rejects.toMatchObject({
    code: 'FW_INBOX_NEWER',
    message: expect.stringContaining('schema 99'),
  })
  expect(db.prepare('select count(*) as count from fw_events').get()).toEqual({ count: 1 })
})

test('opens in several places at once on a file that is not there yet', async () => {
  const file = newFile()
  const engines = Array.from({ length: 4 }, () => inbox(file))
  await Promise.all(engines.map((engine) => engine.subscribe([everything])))
  await Promise.all(engines.map((engine, i) => engine.append([arrival(String(i))])))
  expect(await engines[0]?.stats()).toMatchObject({ events: 4, handlers: [{ handler: 'a', pending: 4 }] })
})

test('shares a file with tables that are not its own', async () => {
  const file = newFile()
  using db = new DatabaseSync(file)
  db.exec('create table events (id); pragma user_version = 7')
  await inbox(file).append([arrival('1')])
  expect(db.prepare('pragma user_version').get()).toEqual({ user_version: 7 })
})

test('leaves a handle that it was given open', async () => {
  const db = new DatabaseSync(newFile())
  const engine = sqlite(db, { allowVolatile: true })
  await engine.append([arrival('1')])
  await engine[Symbol.asyncDispose]()
  expect(db.prepare('select count(*) as count from fw_events').get()).toEqual({ count: 1 })
  db.close()
})

test.skipIf(!existsSync('/dev/shm'))('refuses a file system that forgets', async () => {
  const engine = sqlite('/dev/shm/fusewire-never-made.db')
  await expect(engine.append([arrival('1')])).rejects.toMatchObject({
    code: 'FW_DISK_NOT_DURABLE',
    message: expect.stringContaining('tmpfs'),
  })
  expect(existsSync('/dev/shm/fusewire-never-made.db')).toBe(false)
})

test('refuses a database in memory', async () => {
  using db = new DatabaseSync(':memory:')
  await expect(sqlite(db).open()).rejects.toMatchObject({ code: 'FW_DISK_NOT_DURABLE' })
  await expect(sqlite(':memory:').open()).rejects.toMatchObject({ code: 'FW_DISK_NOT_DURABLE' })
})

// ── faults: nothing is acknowledged and lost, and when the cause goes away so does the fault

test('is refused while another holds the lock, without blocking the loop, and goes on after', async () => {
  const file = newFile()
  const engine = inbox(file)
  await engine.open()
  using other = new DatabaseSync(file)
  other.exec('begin immediate')
  let longestMs = 0
  let last = performance.now()
  const beat = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last)
    last = performance.now()
  }, 1)

  await expect(engine.append([arrival('1')])).rejects.toMatchObject({
    code: 'FW_INBOX_LOCKED',
    message: expect.stringContaining(file),
  })

  clearInterval(beat)
  expect(longestMs).toBeLessThan(500) // Of 1.5 s of waiting.
  other.exec('rollback')
  expect(await engine.append([arrival('1')])).toEqual(['stored'])
})

test('waits for a lock that is soon given back', async () => {
  const file = newFile()
  const engine = inbox(file)
  await engine.open()
  using other = new DatabaseSync(file)
  other.exec('begin immediate')
  const appended = engine.append([arrival('1')])
  setTimeout(() => other.exec('commit'), 100)
  expect(await appended).toEqual(['stored'])
})

test.each([
  ['removed', (file: string) => unlinkSync(file)],
  ['renamed', (file: string) => renameSync(file, `${file}.old`)],
  ['replaced', (file: string) => (renameSync(file, `${file}.old`), copyFileSync(`${file}.old`, file))],
  ['deprived of its log', (file: string) => unlinkSync(`${file}-wal`)],
])('acknowledges nothing in a file that was %s', async (_, harm) => {
  const file = newFile()
  const engine = inbox(file)
  await engine.subscribe([everything])
  await engine.append([arrival('1')])
  harm(file)

  await expect(engine.append([arrival('2')])).rejects.toMatchObject({ code: 'FW_INBOX_MOVED' })

  expect(await engine.append([arrival('3')])).toEqual(['stored'])
  await using fresh = sqlite(file, { allowVolatile: true })
  expect(await fresh.get(arrival('3').key)).toMatchObject({
    deliveries: [{ handler: 'a', state: 'pending' }],
  })
})

test('says that a file is no database, and goes on when it is again', async () => {
  const file = newFile()
  {
    await using before = sqlite(file, { allowVolatile: true })
    await before.append([arrival('1')])
  }
  const good = readFileSync(file)
  writeFileSync(file, Buffer.concat([Buffer.from('not a database'), good.subarray(14)]))
  const engine = inbox(file)

  await expect(engine.append([arrival('2')])).rejects.toThrow('file is not a database')

  writeFileSync(file, good)
  expect(await engine.append([arrival('1'), arrival('2')])).toEqual(['duplicate', 'stored'])
})

test('rejects on a corrupt page, and goes on when it is mended', async () => {
  const file = newFile()
  {
    await using before = sqlite(file, { allowVolatile: true })
    await before.append(Array.from({ length: 50 }, (_, i) => arrival(String(i))))
  }
  const good = readFileSync(file)
  writeFileSync(file, Buffer.concat([good.subarray(0, 16_384), Buffer.alloc(good.length - 16_384, 0xab)]))
  const engine = inbox(file)

  await expect(engine.append([arrival('new')])).rejects.toThrow(/malformed/)

  writeFileSync(file, good)
  expect(await engine.append([arrival('new')])).toEqual(['stored'])
})

test('rejects when the database is full, keeps what it acknowledged, and goes on when there is room', async () => {
  const db = new DatabaseSync(newFile())
  const engine = inbox(db)
  await engine.subscribe([everything])
  const acknowledged: string[] = []
  const pages = Number(db.prepare('pragma page_count').get()?.['page_count'])
  db.exec(`pragma max_page_count = ${pages + 12}`)
  const big = (i: number) => arrival(String(i), { body: Buffer.alloc(4_000, i) })

  const fill = async (): Promise<void> => {
    for (let i = 0; i < 1_000; i++) {
      await engine.append([big(i)])
      acknowledged.push(String(i))
    }
  }
  await expect(fill()).rejects.toThrow('database or disk is full')

  expect(await engine.known(acknowledged.map((id) => big(Number(id))))).toEqual(acknowledged.map(() => true))
  expect(acknowledged.length).toBeGreaterThan(0)
  await expect(engine.probe(400_000)).rejects.toThrow('database or disk is full')
  db.exec('pragma max_page_count = 100000')
  await engine.probe(400_000)
  expect(await engine.append([arrival('after')])).toEqual(['stored'])
})

test.skipIf(process.platform === 'win32')(
  'loses nothing acknowledged when the disk takes no more',
  async () => {
    const file = newFile()
    // The file size limit is in blocks of 512 or 1,024 bytes; a write beyond it fails as on a full disk.
    const script = new URL('children/fill.ts', import.meta.url).pathname
    const { stdout } = await run('sh', [
      '-c',
      `trap '' XFSZ; ulimit -f 4000; exec "$0" --disable-warning=ExperimentalWarning "$1" "$2"`,
      process.execPath,
      script,
      file,
    ])
    const { acknowledged, error }: { acknowledged: string[]; error: string } = JSON.parse(stdout)
    expect(error).toMatch(/full|I\/O/)
    expect(acknowledged.length).toBeGreaterThan(10)
    const engine = inbox(file)
    const sent = acknowledged.map((id) => arrival(id, { body: Buffer.alloc(20_000, Number(id)) }))
    expect(await engine.known(sent)).toEqual(sent.map(() => true))
    expect(await engine.append([arrival('after')])).toEqual(['stored'])
  },
)

test.skipIf(process.platform === 'win32')(
  'rejects on a read-only file, and goes on when it may write',
  async () => {
    const script = new URL('children/read-only.ts', import.meta.url).pathname
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', script])
    expect(JSON.parse(stdout)).toEqual({
      error: expect.stringMatching(/EACCES.*inbox\.db/),
      after: ['stored'],
    })
  },
)

// ── clocks

test('does not wait a year for a lease or a retry of a clock that was a year ahead', async () => {
  const file = newFile()
  const yearMs = 365 * 86_400_000
  const now = Date.UTC(2030, 0, 1)
  {
    await using ahead = sqlite(file, { allowVolatile: true, clock: handClock(now + yearMs) })
    await ahead.subscribe([everything])
    await ahead.append([arrival('retried', { lane: 'u' }), arrival('leased')])
    const { leases } = await ahead.claim([{ handler: 'a', limit: 2 }], 30_000)
    await ahead.settle(
      leases.slice(0, 1).map((lease) => ({ lease, outcome: { kind: 'retry', afterMs: 60_000, failure } })),
    )
  }
  const clock = handClock(now)
  const engine = inbox(file, { clock })

  const before = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
  expect(before.leases).toEqual([])
  expect(before.nextInMs).toBe(30_000)
  await clock.advance(60_000)
  const suspects = await engine.claim([{ handler: 'a', limit: 2 }], 30_000)
  expect(suspects.leases.map(({ event }) => event.key.id)).toEqual(['leased'])
  const after = await engine.claim([{ handler: 'a', limit: 2 }], 30_000, 'none')
  expect(after.leases.map(({ event }) => event.key.id)).toEqual(['retried'])
  expect(after.leases[0]?.failingForMs).toBeLessThanOrEqual(60_000)
  expect(after.leases[0]?.laneHeldForMs).toBeLessThanOrEqual(60_000)
})

// ── atomic

test('refuses an atomic handler that is not done when it returns', async () => {
  const db = new DatabaseSync(newFile())
  db.exec('create table notes (note text)')
  const engine = inbox(db)
  await engine.subscribe([everything])
  await engine.append([arrival('1')])
  const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], 30_000)
  const [lease] = leases
  if (lease === undefined || engine.atomic === undefined) throw new Error('nothing leased')
  let late: unknown

  const settled = engine.atomic(lease, async (sql) => {
    const insert = (sql as DatabaseSync).prepare('insert into notes values (?)') // What sqlite() gives.
    insert.run('before')
    await Promise.resolve()
    try {
      insert.run('after')
    } catch (error) {
      late = error
    }
  })

  await expect(settled).rejects.toMatchObject({ code: 'FW_ATOMIC' })
  expect(late).toMatchObject({ code: 'FW_ATOMIC' })
  expect(db.prepare('select * from notes').all()).toEqual([])
  expect(await engine.settle([{ lease, outcome: { kind: 'succeeded' } }])).toEqual(['settled'])
})

test.each(['commit', 'rollback'])('contains an atomic handler that says %s', async (word) => {
  const engine = inbox(newFile())
  await engine.subscribe([everything])
  await engine.append([arrival('1')])
  const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], 30_000)
  const [lease] = leases
  if (lease === undefined || engine.atomic === undefined) throw new Error('nothing leased')

  const settled = engine.atomic(lease, (sql) => {
    ;(sql as DatabaseSync).exec(word) // What sqlite() gives.
  })

  await expect(settled).rejects.toMatchObject({ code: 'FW_ATOMIC' })
  expect(await engine.append([arrival('2')])).toEqual(['stored'])
})

test('refuses to attach another file in an atomic handler', async () => {
  const engine = inbox(newFile())
  await engine.subscribe([everything])
  await engine.append([arrival('1')])
  const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], 30_000)
  const [lease] = leases
  if (lease === undefined || engine.atomic === undefined) throw new Error('nothing leased')
  const settled = engine.atomic(lease, (sql) => {
    ;(sql as DatabaseSync).exec(`/* a */ ATTACH ':memory:' as other`) // What sqlite() gives.
  })
  await expect(settled).rejects.toMatchObject({ code: 'FW_ATOMIC' })
})

// ── poison

test('keeps the bytes of what no row can hold, and its neighbours in the same commit', async () => {
  const db = new DatabaseSync(newFile())
  const engine = inbox(db)
  await engine.subscribe([everything])
  const poison = arrival('poison', { receivedAt: Number.NaN, body: Buffer.from('poison') })

  const answers = await Promise.all([
    engine.append([arrival('1'), poison, arrival('2')]),
    engine.append([arrival('3')]),
    engine.append([poison]),
  ])

  expect(answers).toEqual([['stored', 'quarantined', 'stored'], ['stored'], ['quarantined']])
  const aside = db.prepare('select kind, body from fw_aside').all()
  expect(aside).toEqual([{ kind: 'quarantined', body: new Uint8Array(poison.body) }])
  expect((await engine.stats()).handlers[0]).toMatchObject({ pending: 3 })
})
