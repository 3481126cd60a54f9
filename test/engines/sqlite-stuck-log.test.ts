import { statSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createCheckpointer } from '../../src/engines/sqlite/storage/checkpointer.ts'
import type { Checkpointed, DiskThread } from '../../src/engines/sqlite/storage/disk-thread.ts'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { openWalSync } from '../../src/engines/sqlite/storage/wal-sync.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { keptLog } from '../support/log.ts'
import { place } from './places.ts'

test('a shell that keeps a transaction open cannot fill the disk: the log counts, is told of, and is truncated afterwards', async () => {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  await using engine = sqlite(file, { allowVolatile: true })
  const log = keptLog()
  engine.report?.(log)
  const maxBytes = 40e6
  engine.tend?.limit(maxBytes, () => {})
  await engine.append([arrival('first')])
  const shell = new DatabaseSync(file, { readOnly: true })
  shell.exec('begin')
  shell.prepare('select count(*) from fw_events').get()

  const logBytes = (): number => statSync(`${file}-wal`).size
  const append = async (n: number): Promise<string | undefined> => {
    const [answer] = await engine.append([
      arrival(`${n}`, { type: 'user.delete', body: Buffer.alloc(500_000, n) }),
    ])
    return answer
  }
  let kept = 0
  while ((await append(kept)) === 'stored') {
    kept += 1
    expect(logBytes()).toBeLessThan(maxBytes + 12e6) // A quarter of maxBytes is no excess.
  }
  expect(kept).toBeGreaterThan(10)
  expect(await append(kept)).toBe('full')
  await expect.poll(() => log.text(), { timeout: 10_000 }).toContain('keeps a read transaction open')
  expect(log.text().split('keeps a read transaction open')).toHaveLength(2) // Once.

  shell.close()
  await expect.poll(logBytes, { timeout: 10_000 }).toBeLessThan(10e6)
  await expect.poll(() => append(9_999), { timeout: 10_000 }).toBe('stored')
}, 60_000)

test('an event does not wait for a thread that moves a large log', async () => {
  const { file, [Symbol.dispose]: remove } = place()
  onTestFinished(remove)
  writeFileSync(`${file}-wal`, '')
  const syncs: number[] = []
  const thread = {
    isReady: () => true,
    isCheckpointing: () => true,
    sync: (descriptor: number) => Promise.resolve(void syncs.push(descriptor)),
  } as Partial<DiskThread> as DiskThread
  const log = openWalSync(file, thread)
  await log?.sync()
  log?.close()
  expect(log).toBeDefined()
  expect(syncs).toEqual([])
})

test('a checkpointer that is closed while it shrinks the log touches the file no more', async () => {
  const { promise, resolve } = Promise.withResolvers<Checkpointed>()
  const modes: string[] = []
  const logs = createCheckpointer({
    run(mode) {
      modes.push(mode)
      return promise
    },
    limitBytes: () => 1_000,
    walBytes: () => 2_000,
    onStuck: () => {},
    pageBytes: 100,
  })
  void logs.afterCommit(2_000)
  logs.close()
  resolve({ busy: 0, log: 20, checkpointed: 20 })
  await nextTurn()
  expect(modes).toEqual(['passive'])
})
