import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { combineObservers } from '../../src/model/observer.ts'
import { memory } from '../../src/engines/memory/engine.ts'
import type { Engine } from '../../src/model/engine.ts'
import type { HandClock } from '../../src/testing/hand-clock.ts'
import { handlerNamed, rig } from './rig.ts'

const onMemory = (clock: HandClock): Engine => memory({ clock })

test('a drain leaves no listener on its signal', async () => {
  await using t = await rig(onMemory, [handlerNamed('h', () => {})])
  const { signal } = new AbortController()
  for (const id of ['1', '2']) {
    await t.append({ id })
    await t.worker.drain(Infinity, signal)
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('no attempt begins after a handler has stopped the worker, and a later drain makes up for it', async () => {
  const began: string[] = []
  const stop = handlerNamed('stops', () => {
    if (began.push('stops') === 1) void t.worker.stop(1000)
  })
  await using t = await rig(onMemory, [stop, handlerNamed('other', () => void began.push('other'))])
  await t.append({ id: '1' })
  t.worker.start()
  await t.quiet()
  expect(began).toEqual(['stops'])
  expect(await t.state('1', 'other')).toBe('pending')

  await t.append({ id: '2' })
  expect(await t.worker.drain(Infinity)).toMatchObject({ succeeded: 3, remaining: 0 })
})

test('deliveries that were leased ahead do not begin after a handler has stopped the worker', async () => {
  const began: string[] = []
  const handler = handlerNamed('h', ({ event }) => {
    began.push(event.id)
    if (event.id === '2') void t.worker.stop(1000)
  })
  // The first batch is one delivery. It is quick, so the second is two.
  await using t = await rig(onMemory, [handler], 1)
  await t.append({ id: '1' }, { id: '2' }, { id: '3' })
  t.worker.start()
  await t.quiet()
  expect(began).toEqual(['1', '2'])
  expect(await t.state('3')).toBe('pending')
})

test('a drain that begins just as the last one ends is served', async () => {
  const second = Promise.withResolvers<{ readonly succeeded: number }>()
  let drains = 0
  await using t = await rig(
    (clock) => {
      const engine = memory({ clock })
      return {
        ...engine,
        watch(wake) {
          const watching = engine.watch(wake)
          return {
            // Called when the worker's loop ends.
            [Symbol.dispose]() {
              watching[Symbol.dispose]()
              if (++drains === 1) void t.worker.drain(Infinity).then(second.resolve, second.reject)
            },
          }
        },
      }
    },
    [handlerNamed('h', () => {})],
  )
  await t.append({ id: '1' })
  expect(await t.worker.drain(Infinity)).toMatchObject({ succeeded: 1 })
  expect(await second.promise).toMatchObject({ remaining: 0 })
  expect(drains).toBe(2)
})

test('an observer that throws about a crashed delivery costs the claim none of its leases', async () => {
  const began: string[] = []
  await using t = await rig(
    (clock) => {
      const engine = memory({ clock })
      return {
        ...engine,
        async claim(...given) {
          const claimed = await engine.claim(...given)
          const key = { createInstant: 1, tenantId: '', id: 'gone' }
          return { ...claimed, crashed: [{ handler: 'h', key, reason: 'crashed' }] }
        },
      }
    },
    [handlerNamed('h', ({ event }) => void began.push(event.id))],
    4,
    {
      observer: combineObservers([
        {
          crashed() {
            throw new Error('the meter is broken')
          },
        },
      ]),
    },
  )
  await t.append({ id: '1' })
  t.worker.start()
  await t.quiet()
  expect(began).toEqual(['1'])
  expect(await t.state('1')).toBe('succeeded')
})
