import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { compileShim, whyNoShim } from '../support/preload.ts'
import { serveChild, type ServedChild } from '../support/served-child.ts'
import { place } from './places.ts'

const reason = whyNoShim()

/** A process that serves an inbox on a disk whose syncs take long, or fail, from when the test says so. */
async function onBadDisk(): Promise<{
  served: ServedChild
  folder: string
  suffer: (ms: number, errno: number) => void
}> {
  const { file, [Symbol.dispose]: remove } = place()
  const control = join(dirname(file), 'bad-disk')
  const suffer = (ms: number, errno: number): void => writeFileSync(control, `${ms} ${errno}\n`)
  const shim = compileShim(new URL('../support/bad-disk.c', import.meta.url), dirname(file))
  const served = await serveChild(file, { LD_PRELOAD: shim, BAD_DISK: control })
  onTestFinished(async () => {
    rmSync(control, { force: true })
    await served[Symbol.asyncDispose]()
    remove()
  })
  return { served, folder: dirname(file), suffer }
}

test('answers 503 when the disk reported an error, however late', async (context) => {
  if (reason !== undefined) return context.skip(reason)
  const { served, suffer } = await onBadDisk()
  expect((await served.send()).status).toBe(200)
  suffer(500, constants.errno.EIO)
  expect((await served.send()).status).toBe(503)
  suffer(0, 0)
  await expect.poll(async () => (await served.send()).status, { timeout: 10_000 }).toBe(200)
})

test('answers 503 at the deadline and /livez at once while a sync takes 4 s', async (context) => {
  if (reason !== undefined) return context.skip(reason)
  const { served, suffer } = await onBadDisk()
  expect((await served.send()).status).toBe(200)
  suffer(4_000, 0)
  const sent = served.send()
  const lives: number[] = []
  for (let asked = 0; asked < 10; asked++) {
    await sleep(100)
    const began = performance.now()
    expect((await fetch(new URL('/livez', served.url))).status).toBe(200)
    lives.push(performance.now() - began)
  }
  const { status, tookMs } = await sent
  expect(status).toBe(503)
  expect(tookMs).toBeLessThan(3_500) // Promised: 1,500; the machine of a test is busy.
  expect(Math.max(...lives)).toBeLessThan(1_500)
})

test('moves the log without blocking the event loop while a sync takes 4 s', async (context) => {
  if (reason !== undefined) return context.skip(reason)
  const { served, suffer } = await onBadDisk()
  // A checkpoint comes every 128 commits.
  for (let sent = 0; sent < 120; sent++) expect((await served.send()).status).toBe(200)
  suffer(4_000, 0)
  const sending = Array.from({ length: 20 }, async (_, n) => {
    await sleep(n * 20)
    return served.send()
  })
  const lives: number[] = []
  for (let asked = 0; asked < 20; asked++) {
    await sleep(250)
    const began = performance.now()
    expect((await fetch(new URL('/livez', served.url))).status).toBe(200)
    lives.push(performance.now() - began)
  }
  expect(Math.max(...lives)).toBeLessThan(1_500)
  await Promise.all(sending)
}, 60_000)

test('acknowledges while all threads of node are busy', async (context) => {
  if (reason !== undefined) return context.skip(reason)
  const { served, folder } = await onBadDisk()
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  expect((await served.send()).status).toBe(200)
  await sleep(1_000) // The thread that syncs is ready.
  served.process.send({ occupyPoolWith: fifo })
  await expect.poll(() => served.said.some(({ busy }) => busy)).toBe(true)
  for (let sent = 0; sent < 5; sent++) expect((await served.send()).status).toBe(200)
})
