import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { handClock } from '../../src/testing/hand-clock.ts'
import type { EventKey } from '../../src/model/event-key.ts'
import { SeenEvents } from '../../src/receive/keep/seen-events.ts'
import { bodyWith, door, good } from '../support/door.ts'
import { rimNames } from '../support/rims.ts'

const id = () => randomUUID()
const event = (fields: object) => bodyWith({ type: 'user.delete', user: { id: 'ada' }, ...fields })

describe.each(rimNames)('%s', (rim) => {
  test.each([
    ['the same bytes', { id: 'A' }, { id: 'A' }, 1],
    [
      'the id in capitals',
      { id: '0f0f0f0f-1111-4222-8333-44444444aaaa' },
      { id: '0F0F0F0F-1111-4222-8333-44444444AAAA' },
      1,
    ],
    ['no id, the same bytes', { id: undefined }, { id: undefined }, 1],
    ['no id, other bytes', { id: undefined, n: 1 }, { id: undefined, n: 2 }, 2],
    ['an empty id, other bytes', { id: '', n: 1 }, { id: '', n: 2 }, 2],
    ['another id', { id: id() }, { id: id() }, 2],
    ['another createInstant', { id: 'A', createInstant: 1 }, { id: 'A', createInstant: 2 }, 2],
    [
      'a createInstant 2^32 ms away',
      { id: 'A', createInstant: 5 },
      { id: 'A', createInstant: 5 + 2 ** 32 },
      2,
    ],
    ['another tenant', { id: 'A', tenantId: id() }, { id: 'A', tenantId: id() }, 2],
    ['ids that are not UUIDs', { id: 'A' }, { id: 'a' }, 2],
  ])('%s: counted as so many events', async (_, first, second, events) => {
    await using at = await door(rim)
    for (const fields of [first, second]) {
      expect((await at.send({ headers: good, body: event(fields) })).status).toBe(200)
    }
    expect(at.ran.length).toBe(events)
  })

  test('events that share an id are told apart, in whatever order they come again', async () => {
    await using at = await door(rim)
    const [a, b] = [
      { id: 'A', tenantId: id() },
      { id: 'A', tenantId: id() },
    ]
    for (const fields of [a, b, a, b, a]) await at.send({ headers: good, body: event(fields) })
    expect(at.ran.length).toBe(2)
  })

  test('of events that share an id, each is decided once, though copies of both come meanwhile', async () => {
    await using at = await door(rim, {
      register: (webhook, ran) =>
        webhook.gate('user.delete', async ({ event: { tenantId } }) => {
          ran.push(String(tenantId))
          await pause(40)
        }),
    })
    const [a, b] = [
      { id: 'A', tenantId: id() },
      { id: 'A', tenantId: id() },
    ]
    const told = await Promise.all(
      [a, b, b, a, b].map((fields) => at.send({ headers: good, body: event(fields) })),
    )
    expect(told.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(at.ran.toSorted()).toEqual([a.tenantId, b.tenantId].toSorted())
  })

  test('a copy that comes while the first is decided shares its answer', async () => {
    let answer: 'resolve' | 'reject' = 'resolve'
    await using at = await door(rim, {
      register: (webhook, ran) =>
        webhook.gate('user.delete', async () => {
          ran.push('gate')
          await pause(40)
          if (answer === 'reject') throw new Error('down')
        }),
    })
    for (const [way, status] of [
      ['resolve', 200],
      ['reject', 500],
    ] as const) {
      answer = way
      at.ran.length = 0
      const body = event({})
      const told = await Promise.all([1, 2, 3].map(() => at.send({ headers: good, body })))
      expect(told.map((one) => one.status)).toEqual([status, status, status])
      expect(at.ran).toEqual(['gate'])
    }
  })

  test('a gate that said no is asked again, one that let pass is not', async () => {
    let says = 'no'
    await using at = await door(rim, {
      register: (webhook, ran) =>
        webhook.gate('user.delete', () => {
          ran.push(says)
          if (says === 'no') throw new Error(says)
        }),
    })
    const body = event({})
    const statuses = []
    for (says of ['no', 'no', 'yes', 'no']) statuses.push((await at.send({ headers: good, body })).status)
    expect(statuses).toEqual([500, 500, 200, 200])
    expect(at.ran).toEqual(['no', 'no', 'yes'])
  })
})

const eventKey = (id: string): EventKey => ({ createInstant: 1, tenantId: '', id })

describe('what was seen', () => {
  test('is remembered for 24 hours, and not for more than 48', async () => {
    const clock = handClock()
    const recent = new SeenEvents(clock)
    await clock.advance(23 * 3_600_000)
    recent.add(eventKey('a'))
    await clock.advance(24 * 3_600_000 - 1)
    expect(recent.has(eventKey('a'))).toBe(true)
    await clock.advance(24 * 3_600_000)
    expect(recent.has(eventKey('a'))).toBe(false)
  })

  test('is forgotten where nothing was asked for two days', async () => {
    const clock = handClock()
    const recent = new SeenEvents(clock)
    recent.add(eventKey('a'))
    await clock.advance(48 * 3_600_000)
    expect(recent.has(eventKey('a'))).toBe(false)
  })

  test('is bounded, the oldest going first', () => {
    const recent = new SeenEvents(handClock(), 2)
    for (const id of ['a', 'b', 'a', 'c']) recent.add(eventKey(id))
    expect(['a', 'b', 'c'].filter((id) => recent.has(eventKey(id)))).toEqual(['a', 'c'])
  })
})
