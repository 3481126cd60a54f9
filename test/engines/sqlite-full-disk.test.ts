import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { serveChild, type ServedChild } from '../support/served-child.ts'
import { smallDisk } from '../support/small-disk.ts'

/** Sends gated events for a while: how many were kept, how many had their gate run. */
async function sendGated(served: ServedChild, forMs: number): Promise<{ kept: number; gated: number }> {
  const before = served.said.filter(({ gated }) => gated !== undefined).length
  let kept = 0
  const until = performance.now() + forMs
  const sender = async (): Promise<void> => {
    while (performance.now() < until) {
      const { status } = await served.send({ type: 'user.delete' })
      expect([200, 503]).toContain(status)
      if (status === 200) kept += 1
      await sleep(20)
    }
  }
  await Promise.all(Array.from({ length: 8 }, sender))
  return { kept, gated: served.said.filter(({ gated }) => gated !== undefined).length - before }
}

test('no gate runs in vain on a full disk, and events are kept again when there is room', async (context) => {
  const disk = smallDisk(48)
  if (typeof disk === 'string') {
    console.warn(disk)
    return context.skip(disk)
  }
  using mounted = disk
  await using served = await serveChild(join(mounted.folder, 'inbox.db'), {})
  expect((await served.send({ type: 'user.delete' })).status).toBe(200)

  mounted.fill(5_000_000)
  const nearlyFull = await sendGated(served, 2_000)
  expect(nearlyFull.gated).toBe(nearlyFull.kept)
  mounted.fill(0)
  await served.send({ type: 'user.delete' })
  const full = await sendGated(served, 3_000)
  expect(full).toEqual({ kept: 0, gated: 0 })
  expect(served.said.some(({ message = '' }) => message.includes('disk of the inbox is nearly full'))).toBe(
    true,
  )

  mounted.empty()
  await expect
    .poll(async () => (await served.send({ type: 'user.delete' })).status, { timeout: 20_000, interval: 200 })
    .toBe(200)
}, 90_000)
