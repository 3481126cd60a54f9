import { expect, test } from 'vitest'
import { memory } from '../../src/engines/memory/engine.ts'
import type { Lease } from '../../src/model/lease.ts'
import { handlerNamed, rig } from './rig.ts'

/** A worker whose first handler blocks the thread for 31 s, with a second delivery leased beside it. */
async function blocked(meanwhile: (t: Awaited<ReturnType<typeof rig>>) => void) {
  const ran: string[] = []
  const t = await rig(
    (clock) => memory({ clock }),
    [
      handlerNamed('blocks', () => {
        if (ran.push('blocks') > 1) return
        const later = t.clock.now() + 31_000
        Object.assign(t.clock, { now: () => later })
        meanwhile(t)
      }),
      handlerNamed('other', () => void ran.push('other')),
    ],
  )
  await t.append({ id: '1' })
  t.worker.start()
  await t.quiet()
  return { t, ran }
}

test('an attempt whose lease another worker took while the thread was blocked does not begin', async () => {
  let taken: Promise<{ readonly leases: readonly Lease[] }> | undefined
  const { t, ran } = await blocked(({ engine }) => {
    taken = engine.claim([{ handler: 'other', limit: 1 }], 3_600_000)
  })
  await using _ = t
  expect((await taken)?.leases).toHaveLength(1)
  expect(ran).not.toContain('other')
  expect(await t.state('1', 'other')).toBe('leased')
})

test('an attempt whose lease nobody took while the thread was blocked begins once it is renewed', async () => {
  const { t, ran } = await blocked(() => {})
  await using _ = t
  expect(ran.filter((name) => name === 'other')).toEqual(['other'])
  expect(await t.state('1', 'other')).toBe('succeeded')
})
