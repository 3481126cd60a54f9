import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { sqlite } from '../../src/engines/sqlite/index.ts'
import { createInbox } from '../../src/inbox/create-inbox.ts'
import type { Engine } from '../../src/model/engine.ts'
import { arrival } from '../../src/testing/arrival.ts'
import { handClock } from '../../src/testing/hand-clock.ts'
import { place } from '../engines/places.ts'

const hourMs = 60 * 60_000

function append(engine: Engine, count: number, receivedAt: number): Promise<unknown> {
  return engine.append(
    Array.from({ length: count }, (_, i) =>
      arrival(`${receivedAt}-${i}`, { receivedAt, createInstant: receivedAt }),
    ),
  )
}

test('prune takes no event that was received after the instant, however slowly it goes on', async () => {
  using at = place()
  await using engine = sqlite(at.file, { allowVolatile: true })
  const inbox = createInbox(engine)
  await append(engine, 100, Date.now())
  await sleep(10)
  const before = new Date()
  await sleep(10)
  await append(engine, 50, Date.now())

  const { events } = await inbox.prune(
    { before },
    {
      onProgress() {
        const until = performance.now() + 100
        while (performance.now() < until); // Blocks, as a slow console would.
      },
    },
  )

  expect(events).toBe(100)
  expect((await inbox.stats()).events).toBe(50)
})

test.each([
  ['ahead', 2 * hourMs],
  ['behind', -2 * hourMs],
])("prune compares with the time of receipt, when the engine's clock is two hours %s", async (_, offMs) => {
  using at = place()
  const now = Date.now()
  await using engine = sqlite(at.file, { allowVolatile: true, clock: handClock(now + offMs) })
  const inbox = createInbox(engine)
  await append(engine, 10, now - hourMs)
  await append(engine, 10, now)

  expect(await inbox.prune({ before: now - 1 })).toEqual({ events: 10 })

  expect((await inbox.stats()).events).toBe(10)
})

test('prune refuses an instant that is none', async () => {
  using at = place()
  await using engine = sqlite(at.file, { allowVolatile: true })
  const inbox = createInbox(engine)
  for (const before of [new Date('no date'), Number.NaN, Infinity]) {
    await expect(inbox.prune({ before })).rejects.toMatchObject({ code: 'FW_OPTION' })
  }
  // @ts-expect-error: a text is no instant.
  await expect(inbox.prune({ before: '2026-01-01' })).rejects.toMatchObject({ code: 'FW_OPTION' })
})
