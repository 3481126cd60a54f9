import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { apiKey, Webhook } from 'fusewire'
import { sqlite } from 'fusewire/sqlite'
import { place } from '../engines/places.ts'
import { good, key } from '../support/door.ts'
import { keptLog } from '../support/log.ts'

/** An event of about 2 KB, as most are: several fit on one page of the file. */
function post(id = randomUUID()): Request {
  const event = {
    type: 'user.update.complete',
    id,
    createInstant: Date.now(),
    user: { id: randomUUID(), data: { text: randomUUID().repeat(50) } },
  }
  return new Request('http://localhost/', { method: 'POST', headers: good, body: JSON.stringify({ event }) })
}

test('a full inbox whose events are settled prunes at once: what was answered 503 is kept when it is sent again', async () => {
  using at = place()
  const log = keptLog()
  await using webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: sqlite(at.file, { allowVolatile: true }),
    retention: { maxBytes: 3e6 },
    log,
  })
  let handled = 0
  webhook.on('user.update.complete', () => void handled++)
  await webhook.start()

  // Several times as much as fits.
  const sent = 3_000
  let longestMs = 0
  for (let done = 0; done < sent; done += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const id = randomUUID()
        const began = performance.now()
        while ((await webhook.fetch(post(id))).status !== 200) {
          await sleep(100)
          longestMs = Math.max(longestMs, performance.now() - began)
          if (performance.now() - began > 15_000) throw new Error('still 503 after 15 s')
        }
      }),
    )
  }

  expect(longestMs).toBeLessThan(15_000)
  await expect.poll(() => handled, { timeout: 15_000 }).toBe(sent)
}, 90_000)

test('a full inbox whose events wait for their handler answers 503, and keeps events again once they are settled', async () => {
  using at = place()
  await using webhook = new Webhook({
    authenticate: apiKey(key),
    inbox: sqlite(at.file, { allowVolatile: true }),
    retention: { maxBytes: 1e6 },
    log: keptLog(),
  })
  webhook.on('user.update.complete', () => {})
  // The write-ahead log counts, too, until it is moved into the file: so full is what stays full.
  let stored = 0
  for (let refused = 0; refused < 15;) {
    if ((await webhook.fetch(post())).status === 200) {
      stored++
      refused = 0
    } else {
      refused++
      await sleep(100)
    }
  }
  expect((await webhook.inbox.stats()).events).toBe(stored)

  await webhook.start()

  await expect.poll(async () => (await webhook.fetch(post())).status, { timeout: 15_000 }).toBe(200)
}, 30_000)
