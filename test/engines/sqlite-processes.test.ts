import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { place } from './places.ts'

test('lets several processes append to and deliver from one file', async () => {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  await using engine = sqlite(file, { allowVolatile: true })
  await engine.subscribe([{ handler: 'a', types: '*', ordering: 'lane' }])
  using db = new DatabaseSync(file)
  db.exec('create table handled (place integer primary key, id text unique, seq integer, lane text)')
  const each = 150

  const children = ['one', 'two', 'three'].map((name) =>
    fork(new URL('children/share.ts', import.meta.url), [file, name, String(each)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    }),
  )
  onTestFinished(() => children.forEach((child) => child.kill()))
  const exits = Promise.all(children.map((child) => once(child, 'exit')))
  await Promise.all(children.map((child) => once(child, 'message')))
  while ((await engine.stats()).handlers.some(({ pending }) => pending > 0)) await sleep(20)
  for (const child of children) child.send('stop')
  expect((await exits).map(([code]) => code)).toEqual([0, 0, 0])

  // Three times its own events, and once those that all of them sent.
  const handled = db.prepare('select id, seq, lane from handled order by place').all()
  expect(handled.length).toBe(3 * each + each)
  expect((await engine.stats()).events).toBe(handled.length)
  for (const lane of new Set(handled.map((row) => row['lane']).filter((lane) => lane !== null))) {
    const order = handled.filter((row) => row['lane'] === lane).map((row) => Number(row['seq']))
    expect(order, String(lane)).toEqual(order.toSorted((a, b) => a - b))
  }
}, 60_000)

test('hears of another process within milliseconds', async () => {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  await using engine = sqlite(file, { allowVolatile: true })
  await using other = sqlite(file, { allowVolatile: true })
  await engine.open()
  await other.open()
  const waits: number[] = []
  for (let i = 0; i < 5; i++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    using watching = engine.watch(resolve)
    void watching
    await sleep(20)
    await other.probe()
    const committedAt = performance.now()
    await promise
    waits.push(performance.now() - committedAt)
  }
  // The poll comes every 500 ms.
  expect(waits.toSorted((a, b) => a - b)[2]).toBeLessThan(150)
})

test('keeps nothing of somebody whom another process erased, although somebody counted the inbox meanwhile', async () => {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  await using engine = sqlite(file, { allowVolatile: true })
  await using other = sqlite(file, { allowVolatile: true })
  const createInstant = Date.now() - 1_000
  await engine.append([arrival('1', { createInstant })])
  await other.tend?.erase({ userId: 'ada' })
  await engine.stats() // It sees that the other process has committed.

  const late = arrival('2', { createInstant, subjects: ['ada'] })
  expect(await engine.append([late])).toEqual(['stored'])
  expect((await engine.get(late.key))?.body).toBeUndefined()
})

test('a process ends by itself when its inbox could not be opened', async () => {
  const engine = JSON.stringify(new URL('../../src/engines/sqlite/index.ts', import.meta.url))
  const program = `
    import { sqlite } from ${engine}
    await sqlite('/nowhere/inbox.db', { allowVolatile: true }).open().catch(() => console.log('not opened'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  onTestFinished(() => void child.kill())
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
}, 20_000)

test('a process that may have no threads tries to start one for each time that it opens the file, not for each call', async () => {
  const engine = JSON.stringify(new URL('../../src/engines/sqlite/index.ts', import.meta.url))
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  const program = `
    import { syncBuiltinESMExports } from 'node:module'
    import threads from 'node:worker_threads'
    let tries = 0
    threads.Worker = class { constructor() { tries += 1; throw new Error('ERR_ACCESS_DENIED') } }
    syncBuiltinESMExports()
    const { sqlite } = await import(${engine})
    const engine = sqlite(${JSON.stringify(file)}, { allowVolatile: true })
    for (let call = 0; call < 5; call++) await engine.stats()
    await engine[Symbol.asyncDispose]()
    process.exitCode = tries`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program])
  onTestFinished(() => void child.kill())
  const [code] = await once(child, 'exit')
  expect(code).toBe(1)
}, 20_000)
