import assert from 'node:assert/strict'
import { arrival } from './arrival.ts'
import {
  type Clause,
  claimOne,
  clause,
  type ContractSubject,
  drain,
  failure,
  idsOf,
  leaseMs,
  settle,
  subscribed,
  subscription,
} from './clause.ts'
import { abandonAfterMs } from '../model/idle-handler.ts'
import type { Engine } from '../model/engine.ts'
import type { Filter } from '../model/filter.ts'
import type { Kept } from '../model/kept.ts'
import { receiptLimit } from '../model/receipt.ts'
import type { Page, Paging, Tending } from '../model/tending.ts'

const hourMs = 60 * 60_000
const dayMs = 24 * hourMs

/** Every promise of what people ask of an inbox, each tried on an empty store. */
export const tendingContract: readonly Clause[] = [
  // ── find

  tendingClause('finds what fits, newest first', async ({ open }) => {
    const engine = await subscribed(await open(), 'a', 'b')
    const at = (n: number) => ({ receivedAt: 1_900_000_000_000 + n })
    await engine.append([
      arrival('1', { ...at(1), type: 'user.create.complete', subjects: ['u1'], tenantId: 't1', lane: 'u1' }),
      arrival('2', { ...at(2), type: 'user.delete.complete', subjects: ['u1', 'u2'], lane: 'u1' }),
      arrival('3', { ...at(3), type: 'user.create.complete', subjects: ['u2'], tenantId: 't2', lane: 'u2' }),
      arrival('4', { ...at(4), refused: 'not today' }),
    ])
    const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    await settle(engine, leases.slice(0, 1), { kind: 'dead', reason: 'permanent', failure })
    await settle(engine, leases.slice(1), { kind: 'skipped' })

    const asked: readonly (readonly [Filter, readonly string[]])[] = [
      [{}, ['4', '3', '2', '1']],
      [{ type: 'user.create.complete' }, ['3', '1']],
      [{ type: ['user.create.complete', 'user.delete.complete'] }, ['3', '2', '1']],
      [{ type: 'user.login.success' }, []],
      [{ userId: 'u1' }, ['2', '1']],
      [{ userId: 'u2', type: 'user.create.complete' }, ['3']],
      [{ userId: 'u9' }, []],
      [{ tenantId: 't1' }, ['1']],
      [{ tenantId: 't1', userId: 'u2' }, []],
      [{ id: '2' }, ['2']],
      [{ handler: 'a' }, ['3', '2', '1']],
      [{ handler: 'nobody' }, []],
      [{ state: 'dead' }, ['1']],
      [{ state: 'dead', handler: 'b' }, []],
      [{ state: 'skipped' }, ['3']],
      [{ state: 'succeeded' }, []],
      [{ state: 'pending', handler: 'a' }, ['2']],
      [{ state: ['pending', 'dead'], handler: 'a' }, ['2', '1']],
      [{ state: 'pending' }, ['3', '2', '1']],
      [{ state: 'leased' }, []],
      [{ state: 'refused' }, ['4']],
      [{ state: 'unhandled' }, []],
      [{ receivedAfter: 1_900_000_000_002, receivedBefore: 1_900_000_000_004 }, ['3', '2']],
      [{ errorText: 'IT FAILED' }, ['1']],
      [{ errorText: 'it failed', handler: 'b' }, []],
      [{ errorText: 'something else' }, []],
    ]
    for (const [where, ids] of asked) {
      assert.deepEqual(found(await all(tended(engine), where)), ids, JSON.stringify(where))
    }
  }),

  tendingClause('finds all that get returns of an event, with the body on request', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const event = arrival('1', { tenantId: 't', subjects: ['u'], source: 'manual' })
    await engine.append([event])
    await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 9, failure })

    const [without] = await all(tended(engine), {})
    const { items } = await tended(engine).find({}, { limit: 1, bodies: true })

    const whole = await engine.get(event.key)
    assert.deepEqual(items, [whole])
    const { body, ...rest } = whole ?? {}
    assert.deepEqual(without, rest)
    assert.deepEqual(Buffer.from(body ?? []), Buffer.from(event.body))
    assert.equal(whole?.size, event.body.length)
  }),

  tendingClause(
    'pages in both directions without a gap or a repeat while events come in',
    async ({ open }) => {
      const engine = await open()
      const ids = Array.from({ length: 25 }, (_, i) => String(i))
      await engine.append(ids.map((id) => arrival(id, { subjects: [Number(id) % 2 === 0 ? 'even' : 'odd'] })))
      for (const where of [{}, { type: 'user.update.complete' }, { userId: 'even' }]) {
        const expected = where.userId === undefined ? ids : ids.filter((id) => Number(id) % 2 === 0)
        const oldest = await all(tended(engine), where, { limit: 4, order: 'oldest' })
        assert.deepEqual(found(oldest).slice(0, expected.length), expected)
        const newest = await all(tended(engine), where, { limit: 4 }, () =>
          engine.append([arrival(`late ${Math.random()}`, { subjects: ['even'] })]),
        )
        const early = found(newest).filter((id) => !id.startsWith('late'))
        assert.deepEqual(early, expected.toReversed())
        assert.equal(newest.length - early.length, found(newest).filter((id) => id.startsWith('late')).length)
      }
    },
  ),

  tendingClause('finds set-aside events by their kind', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1'), arrival('1', { body: Buffer.from('other'), subjects: ['u'] })])
    const stale = arrival('2', { createInstant: 1_000 })
    assert.deepEqual(await engine.append([stale]), ['stale'])
    assert.deepEqual(await engine.append([stale]), ['stale'])
    assert.deepEqual(await engine.append([arrival('3', { createInstant: 1_000, source: 'manual' })]), [
      'stored',
    ])

    const conflicts = await all(tended(engine), { state: 'conflict' }, { bodies: true })
    assert.deepEqual(
      conflicts.map(({ key, aside, deliveries, body }) => [
        key.id,
        aside,
        deliveries,
        Buffer.from(body ?? []).toString(),
      ]),
      [['1', 'conflict', [], 'other']],
    )
    assert.deepEqual(found(await all(tended(engine), { state: 'stale' })), ['2'])
    assert.deepEqual(found(await all(tended(engine), { state: ['stale', 'conflict'] })), ['2', '1'])
    assert.deepEqual(found(await all(tended(engine), { state: 'quarantined' })), [])
    assert.deepEqual(found(await all(tended(engine), {})), ['3', '1'])
  }),

  tendingClause('keeps no event that no handler wants when it is asked not to', async ({ open }) => {
    const engine = await open()
    await engine.subscribe([{ ...subscription('a'), types: ['user.create'] }])
    const only = { ifUnwanted: 'nothing' } as const
    const events = [
      arrival('1', only),
      arrival('2', { ...only, type: 'user.create' }),
      arrival('3', { ...only, refused: 'no' }),
    ]
    assert.deepEqual(await engine.append(events), ['unwanted', 'stored', 'stored'])
    assert.deepEqual(found(await all(tended(engine), {})), ['3', '2'])
  }),

  // ── overview

  tendingClause(
    'counts by type and by handler, and lists blocked lanes and nodes',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a', 'b')
      const tend = tended(engine)
      await engine.append([
        arrival('1', { lane: 'u', type: 'user.create.complete', receivedAt: 1_900_000_000_001 }),
        arrival('2', { lane: 'u' }),
        arrival('3', { lane: 'v' }),
        arrival('4'),
      ])
      const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      await settle(engine, leases.slice(0, 1), { kind: 'retry', afterMs: hourMs, failure })
      await settle(engine, leases.slice(1), { kind: 'dead', reason: 'permanent' })
      await tend.beat({ id: 'n1', host: 'h', pid: 1, startedAt: 5, handlers: ['a'] })
      await tend.beat({ id: 'n2', host: 'h', pid: 2, startedAt: 6, handlers: [] })
      await tend.leave('n2')

      const overview = await tend.overview()

      assert.equal(overview.events, 4)
      assert.deepEqual(
        overview.types.map(({ type, events }) => [type, events]),
        [
          ['user.update.complete', 3],
          ['user.create.complete', 1],
        ],
      )
      assert.ok(overview.bytes > 0)
      assert.equal(overview.aside, 0)
      const [a, b] = overview.handlers
      assert.deepEqual(
        [a?.handler, a?.pending, a?.dead, a?.oldestPendingAt, a?.abandoned],
        ['a', 2, 2, 1_900_000_000_001, false],
      )
      assert.deepEqual(
        a?.blocked.map(({ lane, pending }) => [typeof lane, pending]),
        [['string', 2]],
      )
      assert.deepEqual([b?.handler, b?.pending, b?.dead, b?.abandoned, b?.blocked], ['b', 4, 0, true, []])
      assert.deepEqual(
        overview.nodes.map(({ seenAt, ...node }) => ({ ...node, seen: typeof seenAt })),
        [{ id: 'n1', host: 'h', pid: 1, startedAt: 5, handlers: ['a'], seen: 'number' }],
      )
      await advance(121_000)
      assert.deepEqual((await tend.overview()).nodes, [])
      assert.equal((await tend.overview()).handlers[0]?.abandoned, true)
    },
  ),

  tendingClause('gives a duty to one process at a time', async ({ open, advance }) => {
    const tend = tended(await open())
    assert.equal(await tend.hold('prune', 'n1', 1_000), true)
    assert.equal(await tend.hold('prune', 'n2', 1_000), false)
    assert.equal(await tend.hold('other', 'n2', 1_000), true)
    assert.equal(await tend.hold('prune', 'n1', 1_000), true)
    await advance(1_001)
    assert.equal(await tend.hold('prune', 'n2', 1_000), true)
    assert.equal(await tend.hold('prune', 'n1', 1_000), false)
  }),

  // ── abandon

  tendingClause(
    'abandons a handler that no process ran while others delivered for 7 days: no new deliveries, waiting ones end, its events are pruned',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a', 'b')
      const tend = tended(engine)
      const now = await nowOf(engine)
      const of = (id: string, lane?: string) =>
        arrival(id, { receivedAt: now, createInstant: now, ...(lane !== undefined && { lane }) })
      await engine.append([of('1', 'u'), of('2', 'u'), of('3', 'u'), of('4')])
      const leased = await claimOne(engine)
      await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 9, failure })
      await drain(engine, 'b')
      assert.deepEqual(await tend.countIdle(abandonAfterMs - 1), [
        { handler: 'a', idleMs: abandonAfterMs - 1, abandoned: false },
        { handler: 'b', idleMs: abandonAfterMs - 1, abandoned: false },
      ])
      assert.deepEqual(await tend.abandon(), { deliveries: 0, more: false })
      await tend.beat({ id: 'n', host: 'h', pid: 1, startedAt: 1, handlers: ['b'] })

      assert.deepEqual(await tend.countIdle(1), [
        { handler: 'a', idleMs: abandonAfterMs, abandoned: true },
        { handler: 'b', idleMs: 0, abandoned: false },
      ])
      assert.deepEqual(await tend.abandon(), { deliveries: 4, more: false })

      assert.deepEqual(await settle(engine, [leased], { kind: 'succeeded' }), ['lost'])
      assert.deepEqual(found(await all(tend, { state: 'abandoned' })), ['4', '3', '2', '1'])
      assert.deepEqual(found(await all(tend, { state: 'succeeded', handler: 'a' })), [])
      const { deliveries } = (await engine.get(of('4').key)) ?? {}
      assert.deepEqual(
        deliveries?.map(({ handler, state }) => [handler, state]),
        [
          ['a', 'abandoned'],
          ['b', 'succeeded'],
        ],
      )
      const [a, b] = (await tend.overview()).handlers
      assert.deepEqual([a?.pending, typeof a?.abandonedAt, b?.abandonedAt], [0, 'number', undefined])
      assert.equal(typeof (await engine.stats()).handlers[0]?.abandonedAt, 'number')

      await engine.append([of('5', 'u')])
      assert.deepEqual(idsOf((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases), [])
      assert.deepEqual(idsOf(await drain(engine, 'b')), ['5'])
      assert.equal(await replay(engine, { state: 'abandoned' }), 0)
      assert.equal(await replay(engine, { handler: 'a' }), 0)
      await advance(31 * dayMs)
      assert.equal(await prune(engine, {}), 5)
    },
  ),

  tendingClause(
    'gives an abandoned handler that comes back what comes then, and by replay what it missed',
    async ({ open }) => {
      const engine = await subscribed(await open(), 'a', 'b')
      const tend = tended(engine)
      await engine.append([arrival('1', { lane: 'u' }), arrival('2', { lane: 'u' })])
      await tend.countIdle(abandonAfterMs)
      assert.equal((await tend.abandon()).deliveries, 4)
      await engine.append([arrival('3', { lane: 'u' })])

      await engine.subscribe([subscription('a')])
      await tend.beat({ id: 'n', host: 'h', pid: 1, startedAt: 1, handlers: ['b'] })
      await engine.append([arrival('4', { lane: 'u' })])

      assert.deepEqual(idsOf(await drain(engine, 'a')), ['4'])
      assert.deepEqual(idsOf(await drain(engine, 'b')), ['4'])
      assert.equal(await replay(engine, { state: 'abandoned', handler: 'a' }), 2)
      assert.deepEqual(idsOf(await drain(engine, 'a')), ['1', '2'])
      assert.equal(await replay(engine, { handler: 'b', receivedAfter: 0 }), 4)
      assert.deepEqual(idsOf(await drain(engine, 'b')), ['1', '2', '3', '4'])
    },
  ),

  tendingClause('never abandons a handler that a process runs now and then', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const tend = tended(engine)
    await engine.append([arrival('1')])
    await tend.countIdle(abandonAfterMs - 1)
    await tend.beat({ id: 'n', host: 'h', pid: 1, startedAt: 1, handlers: ['a'] })
    assert.deepEqual(await tend.countIdle(abandonAfterMs), [{ handler: 'a', idleMs: 0, abandoned: false }])
    await tend.leave('n')
    await tend.countIdle(abandonAfterMs - 1)
    await engine.subscribe([subscription('a')])
    assert.deepEqual(await tend.countIdle(abandonAfterMs - 1), [
      { handler: 'a', idleMs: abandonAfterMs - 1, abandoned: false },
    ])
    assert.deepEqual(await tend.abandon(), { deliveries: 0, more: false })
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['1'])
  }),

  tendingClause('ends thousands of abandoned deliveries in steps', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const tend = tended(engine)
    for (let done = 0; done < 1_200; done += 300) {
      await engine.append(Array.from({ length: 300 }, (_, i) => arrival(`${done + i}`, { lane: `${i % 7}` })))
    }
    await engine.claim([{ handler: 'a', limit: 5 }], leaseMs)
    await tend.countIdle(abandonAfterMs)
    let deliveries = 0
    let steps = 0
    for (let more = true; more; steps++) {
      const step = await tend.abandon()
      deliveries += step.deliveries
      more = step.more
    }
    assert.equal(deliveries, 1_200)
    assert.ok(steps > 1)
    assert.equal((await engine.stats()).handlers[0]?.pending, 0)
  }),

  // ── replay

  tendingClause(
    'runs ended deliveries that fit once more, in order, as if never attempted',
    async ({ open }) => {
      const engine = await subscribed(await open(), 'a', 'b')
      await engine.append(['1', '2', '3'].map((id) => arrival(id, { lane: 'u', subjects: [id] })))
      await drain(engine, 'a')
      await drain(engine, 'b')

      assert.equal(await replay(engine, { handler: 'a', userId: '1' }), 1)
      assert.equal(await replay(engine, { handler: 'a' }), 2)
      assert.equal(await replay(engine, { handler: 'a' }), 0)

      const again = await drain(engine, 'a')
      assert.deepEqual(idsOf(again), ['1', '2', '3'])
      assert.deepEqual(
        again.map(({ attempt }) => attempt),
        [1, 1, 1],
      )
      assert.equal((await drain(engine, 'b')).length, 0)
      assert.equal(await replay(engine, { state: 'succeeded' }), 6)
    },
  ),

  tendingClause(
    'replays a dead letter with a day of its own to be given up in',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1', { lane: 'u' }), arrival('2')])
      const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      await settle(engine, leases, { kind: 'dead', reason: 'failed', failure })
      await advance(2 * dayMs)
      assert.equal((await engine.stats()).handlers[0]?.dead, 2)

      assert.equal(await replay(engine, { state: 'dead' }), 2)

      assert.equal((await engine.stats()).handlers[0]?.dead, 0)
      assert.equal((await engine.stats()).handlers[0]?.pending, 2)
      const again = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      assert.deepEqual(
        again.leases.map(({ attempt, failingForMs }) => [attempt, failingForMs]),
        [
          [1, 0],
          [1, 0],
        ],
      )
      await settle(engine, again.leases, { kind: 'succeeded' })
      assert.deepEqual((await engine.get(arrival('1').key))?.deliveries, [
        { handler: 'a', state: 'succeeded', attempts: 1, failures: [] },
      ])
    },
  ),

  tendingClause(
    "puts a replayed delivery at its event's place, never at the same time as a leased one",
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append(['1', '2', '3'].map((id) => arrival(id, { lane: 'u', subjects: [id] })))
      await settle(engine, [await claimOne(engine)], { kind: 'dead', reason: 'permanent' })
      const second = await claimOne(engine)

      assert.equal(await replay(engine, { userId: '1', state: 'dead' }), 1)

      assert.equal((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)
      await settle(engine, [second], { kind: 'retry', afterMs: 1_000, failure })
      await settle(engine, (await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases, {
        kind: 'succeeded',
      })
      await advance(1_000)
      const order = idsOf(await drain(engine, 'a'))
      assert.ok(order.indexOf('3') === order.length - 1, String(order))
    },
  ),

  tendingClause(
    'lets a replayed delivery go before a younger one that waits for its retry',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append(['1', '2'].map((id) => arrival(id, { lane: 'u', subjects: [id] })))
      await settle(engine, [await claimOne(engine)], { kind: 'dead', reason: 'permanent' })
      await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 1_000, failure })
      assert.equal(await replay(engine, { userId: '1', state: 'dead' }), 1)
      const first = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      assert.deepEqual(idsOf(first.leases), ['1'])
      await advance(1_000)
      assert.equal((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)
      await settle(engine, first.leases, { kind: 'succeeded' })
      assert.deepEqual(idsOf(await drain(engine, 'a')), ['2'])
    },
  ),

  tendingClause('gives a handler added later the earlier events that it wants', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const bodyOf = (id: string, applicationId: string) =>
      Buffer.from(
        JSON.stringify({
          event: {
            id,
            createInstant: 1_900_000_000_000,
            type: 'user.create.complete',
            applicationId,
            user: { id: 'u' },
          },
        }),
      )
    await engine.append([
      arrival('1', { lane: 'u', type: 'user.delete.complete', receivedAt: 1_900_000_000_001 }),
      ...['2', '3', '4'].map((id, i) =>
        arrival(id, {
          type: 'user.create.complete',
          lane: 'u',
          receivedAt: 1_900_000_000_002 + i,
          applicationIds: [id === '3' ? 'other' : 'app'],
          body: bodyOf(id, id === '3' ? 'other' : 'app'),
        }),
      ),
    ])
    await drain(engine, 'a')
    await engine.subscribe([
      { ...subscription('late'), types: ['user.create.complete'] },
      { ...subscription('app'), applicationIds: ['app'], types: ['user.create.complete'] },
    ])

    assert.equal(await replay(engine, { handler: 'late', receivedAfter: 1_900_000_000_003 }), 2)
    assert.equal(await replay(engine, { handler: 'app' }), 2)

    assert.deepEqual(idsOf((await engine.claim([{ handler: 'late', limit: 9 }], leaseMs)).leases), ['3'])
    assert.deepEqual(idsOf(await drain(engine, 'app')), ['2', '4'])
    assert.equal((await drain(engine, 'a')).length, 0)
  }),

  tendingClause(
    'delivers a refused event and a set-aside one when a person replays them',
    async ({ open }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1', { refused: 'no' }), arrival('2')])
      await engine.append([
        arrival('2', { body: Buffer.from('other') }),
        arrival('3', { createInstant: 1_000 }),
      ])
      await drain(engine, 'a')

      assert.equal(await replay(engine, { state: 'refused' }), 1)
      assert.equal(await replay(engine, { state: ['conflict', 'stale'] }), 2)

      const delivered = await drain(engine, 'a')
      assert.deepEqual(idsOf(delivered).slice(0, 1), ['1'])
      const bodies = delivered.slice(1).map(({ event }) => Buffer.from(event.body).toString().slice(0, 5))
      assert.deepEqual(bodies.toSorted(), ['other', '{"eve'])
      assert.deepEqual(await engine.known([arrival('1')]), [true])
      assert.deepEqual(await all(tended(engine), { state: ['conflict', 'stale'] }), [])
    },
  ),

  tendingClause('replays in steps that go on where the last one stopped', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    for (let batch = 0; batch < 3; batch++) {
      await engine.append(
        Array.from({ length: 400 }, (_, i) => arrival(`${batch} ${i}`, { lane: `${i % 7}` })),
      )
    }
    await drainAll(engine)
    let calls = 0
    let replayed = 0
    let after: string | undefined
    do {
      const step = await tended(engine).replay({ handler: 'a' }, after)
      assert.ok(step.deliveries <= 500, `${step.deliveries} in one call`)
      replayed += step.deliveries
      after = step.next
      calls++
    } while (after !== undefined)
    assert.equal(replayed, 1_200)
    assert.ok(calls >= 3)
    assert.equal((await engine.stats()).handlers[0]?.pending, 1_200)
  }),

  // ── prune

  tendingClause(
    'takes away what has outlived its retention, and knows its resend',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      const now = await nowOf(engine)
      const received = { receivedAt: now, createInstant: now }
      await engine.subscribe([{ ...subscription('a'), types: ['user.update.complete', 'user.create'] }])
      const events = [
        arrival('succeeded', received),
        arrival('dead', { ...received, lane: 'dead' }),
        arrival('waiting', { ...received, lane: 'waiting' }),
        arrival('unhandled', { ...received, type: 'user.login.success' }),
        arrival('refused', { ...received, refused: 'no' }),
        arrival('own', { ...received, type: 'user.create' }),
      ]
      await engine.append(events)
      await engine.append([arrival('succeeded', { ...received, body: Buffer.from('other') })])
      for (const lease of (await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases) {
        if (lease.event.key.id === 'dead')
          await settle(engine, [lease], { kind: 'dead', reason: 'permanent', failure })
        else if (lease.event.key.id === 'waiting')
          await settle(engine, [lease], { kind: 'retry', afterMs: 99 * dayMs, failure })
        else await settle(engine, [lease], { kind: 'succeeded' })
      }
      const retention = { types: { 'user.create': { settledMs: 40 * dayMs } } }

      assert.equal(await prune(engine, retention), 0)
      await advance(3 * dayMs + 1)
      assert.equal(await prune(engine, retention), 2)
      assert.deepEqual(found(await all(tended(engine), {})).toSorted(), [
        'dead',
        'own',
        'succeeded',
        'waiting',
      ])
      await advance(27 * dayMs)
      assert.equal(await prune(engine, retention), 2)
      assert.deepEqual(found(await all(tended(engine), {})).toSorted(), ['dead', 'own', 'waiting'])
      assert.equal((await tended(engine).overview()).aside, 0)
      await advance(11 * dayMs)
      assert.equal(await prune(engine, retention), 1)
      assert.equal(await prune(engine, { deadMs: 1 }), 1)
      assert.deepEqual(found(await all(tended(engine), {})), ['waiting'])

      assert.deepEqual(
        await engine.append(events.filter(({ refused }) => refused === undefined)),
        events.slice(1).map(() => 'duplicate'),
      )
      assert.equal((await engine.get(events[0]?.key ?? arrival('').key))?.gone, 'pruned')
      assert.equal((await engine.get(events[0]?.key ?? arrival('').key))?.body, undefined)
      assert.equal((await tended(engine).overview()).events, 1)
      assert.deepEqual(await engine.append([arrival('refused', received)]), ['stored'])
    },
  ),

  ...[2 * hourMs, -2 * hourMs].map((offMs) =>
    tendingClause(
      `prunes what was received before an instant, and nothing else, with a clock ${offMs / hourMs} hours off that moves between steps`,
      async ({ open, advance }) => {
        const engine = await subscribed(await open(), 'a')
        const before = (await nowOf(engine)) - 10_000
        const of = (id: string, receivedAt: number) => arrival(id, { receivedAt, createInstant: receivedAt })
        await engine.append(Array.from({ length: 600 }, (_, i) => of(`old ${i}`, before - 600 + i)))
        await drainAll(engine)
        await engine.append([of('waits', before - 1)])
        await engine.append(Array.from({ length: 10 }, (_, i) => of(`young ${i}`, before + i)))
        await engine.append([of('dead', before - 1)])
        const { leases } = await engine.claim([{ handler: 'a', limit: 20 }], leaseMs)
        const isYoung = (id: string) => id.startsWith('young')
        await settle(
          engine,
          leases.filter(({ event }) => isYoung(event.key.id)),
          { kind: 'succeeded' },
        )
        await settle(
          engine,
          leases.filter(({ event }) => event.key.id === 'dead'),
          { kind: 'dead', reason: 'permanent' },
        )
        await advance(offMs)
        const prune = (dead: boolean) =>
          sum(
            async (after) => {
              const step = await tended(engine).prune({ receivedBefore: before, dead }, after)
              await advance(offMs)
              return step
            },
            ({ events }) => events,
          )

        assert.equal(await prune(false), 600)

        const left = found(await all(tended(engine), {}, { limit: 50 }))
        assert.deepEqual([left.length, left.filter(isYoung).length], [12, 10])
        assert.equal(await prune(true), 1)
        assert.deepEqual(found(await all(tended(engine), {})).includes('dead'), false)
      },
    ),
  ),

  tendingClause(
    'forgets the keys of events that no handler wants when the retention of unhandled events ends',
    async ({ open, advance }) => {
      const engine = await open()
      const now = await nowOf(engine)
      const of = (id: string) => arrival(id, { ifUnwanted: 'key', createInstant: now })
      await engine.append(Array.from({ length: 700 }, (_, i) => of(String(i))))
      assert.deepEqual(await engine.known([of('0'), of('699')]), [true, true])
      await advance(2 * dayMs)
      const later = arrival('later', { ifUnwanted: 'key', createInstant: now + 2 * dayMs })
      await engine.append([later])
      assert.equal(await prune(engine, {}), 0)
      assert.deepEqual(await engine.known([of('0'), of('699'), later]), [true, true, true])
      await advance(1.5 * dayMs)
      assert.equal(await prune(engine, {}), 0)
      assert.deepEqual(await engine.known([of('0'), of('699'), later]), [false, false, true])
      assert.deepEqual(await engine.append([of('0')]), ['unwanted'])
    },
  ),

  tendingClause('forgets a key 400 days later, and calls a copy stale then', async ({ open, advance }) => {
    const engine = await open()
    const now = await nowOf(engine)
    const event = arrival('1', { receivedAt: now, createInstant: now })
    await engine.append([event])
    await advance(4 * dayMs)
    assert.equal(await prune(engine, {}), 1)
    assert.deepEqual(await engine.append([event]), ['duplicate'])
    await advance(397 * dayMs)
    await prune(engine, {})
    assert.equal(await engine.get(event.key), undefined)
    assert.deepEqual(await engine.append([event]), ['stale'])
  }),

  restartClause(
    'prunes nothing and calls nothing stale on the word of a clock that is ahead after a restart',
    async ({ open, advance }, restartAhead) => {
      const engine = await subscribed(await open(), 'a')
      const now = await nowOf(engine)
      const received = { receivedAt: now, createInstant: now }
      await engine.append(['1', '2'].map((id) => arrival(id, received)))
      await drainAll(engine)

      const ahead = await restartAhead(420 * dayMs)

      assert.equal(await prune(ahead, {}), 0)
      const sent = arrival('3', { receivedAt: now + 420 * dayMs, createInstant: now + 1_000 })
      assert.deepEqual(await ahead.append([sent]), ['stored'])
      assert.equal(await prune(ahead, {}), 0)
      // Without further events the clock is believed when it has run for a day.
      await advance(23 * hourMs)
      assert.equal(await prune(ahead, {}), 0)
      await advance(2 * hourMs)
      assert.equal(await prune(ahead, {}), 2)
    },
  ),

  restartClause(
    'prunes at once when an event confirms a clock that is ahead',
    async ({ open }, restartAhead) => {
      const engine = await subscribed(await open(), 'a')
      const now = await nowOf(engine)
      await engine.append([arrival('1', { receivedAt: now, createInstant: now })])
      await drainAll(engine)
      const later = await restartAhead(40 * dayMs)
      assert.equal(await prune(later, {}), 0)
      const receivedAt = now + 40 * dayMs
      await later.append([arrival('2', { receivedAt, createInstant: receivedAt - 1_000 })])
      assert.equal(await prune(later, {}), 1)
    },
  ),

  restartClause(
    'gives up nothing because of a clock that is ahead after a restart',
    async ({ open }, restartAhead) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1', { lane: 'u' })])
      await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 0, failure })
      const ahead = await restartAhead(40 * dayMs)
      const { leases } = await ahead.claim([{ handler: 'a', limit: 9 }], leaseMs)
      assert.ok(
        leases.every(({ failingForMs }) => failingForMs < hourMs),
        'it was told to have failed for days',
      )
    },
  ),

  tendingClause('keeps its last fifth for transactional events, and prunes to leave it', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const tend = tended(engine)
    const now = await nowOf(engine)
    const body = Buffer.alloc(100_000, ' ')
    const of = (id: string, type: string) => arrival(id, { type, body, receivedAt: now, createInstant: now })
    await engine.append(Array.from({ length: 40 }, (_, i) => of(`${i}`, 'user.update.complete')))
    await drainAll(engine)
    const { bytes } = await tend.overview()
    let pressed = 0
    tend.limit(bytes / 0.9, () => pressed++)
    assert.deepEqual(await engine.append([of('a', 'user.update.complete'), of('b', 'user.delete')]), [
      'full',
      'stored',
    ])
    assert.equal(pressed, 1)
    assert.deepEqual(await engine.append([of('2', 'user.update.complete')]), ['duplicate'])
    assert.equal(pressed, 2)
    tend.limit(bytes / 2, () => pressed++)
    assert.deepEqual(await engine.append([of('c', 'user.delete')]), ['full'])
    assert.equal(pressed, 3)
    assert.equal(await engine.hasRoom?.('user.delete'), false)
    let first: boolean | undefined
    const events = await sum(
      async (after) => {
        const step = await tend.prune({ maxBytes: bytes / 2 }, after)
        first ??= step.pressed
        return step
      },
      (step) => step.events,
    )
    assert.equal(first, true)
    assert.ok(events >= 20)

    assert.deepEqual(await engine.append([of('a', 'user.update.complete'), of('c', 'user.delete')]), [
      'stored',
      'stored',
    ])
    assert.equal((await tend.prune({ maxBytes: bytes })).pressed, false)
    assert.deepEqual((await tend.overview()).types.map(({ type }) => type).includes('user.delete'), true)
  }),

  // ── erase

  tendingClause('takes away everything that names a person', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const events = ['1', '2', '3', '4'].map((id) => arrival(id, { lane: 'ada', subjects: ['ada'] }))
    const others = [arrival('5', { subjects: ['bob'] }), arrival('6', { lane: 'ada', subjects: ['bob'] })]
    await engine.append([
      ...events,
      ...others,
      arrival('7', { subjects: ['ada', 'bob'], refused: 'ada is not allowed' }),
    ])
    await engine.append([arrival('1', { body: Buffer.from('ada again'), subjects: ['ada'] })])
    await settle(engine, [await claimOne(engine)], { kind: 'dead', reason: 'permanent', failure })
    const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    const [ada, bob] = leases.toSorted((a, b) => a.position - b.position)
    assert.ok(ada?.event.key.id === '2' && bob?.event.key.id === '5', String(idsOf(leases)))

    const erased = await erase(engine, { userId: 'ada' })

    assert.deepEqual(erased, { events: 6, deliveries: 3 })
    assert.ok(['scrubbed', 'overwritten later'].includes(await tended(engine).scrub(['ada again'])))
    assert.deepEqual(await all(tended(engine), { userId: 'ada' }), [])
    assert.deepEqual(await all(tended(engine), { state: 'conflict' }), [])
    for (const { key } of events) {
      const kept = await engine.get(key)
      assert.deepEqual([kept?.gone, kept?.body, kept?.refused], ['erased', undefined, undefined])
      assert.deepEqual(
        kept?.deliveries.flatMap(({ failures }) => failures),
        [],
      )
    }
    assert.deepEqual(await settle(engine, [ada], { kind: 'succeeded' }), ['lost'])
    assert.deepEqual(await settle(engine, [bob], { kind: 'succeeded' }), ['settled'])
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['6'])
    assert.deepEqual(await engine.stats().then(({ handlers }) => handlers), [
      { handler: 'a', pending: 0, dead: 0 },
    ])
  }),

  tendingClause(
    'blanks events of an erased person that come again, unless they are newer',
    async ({ open }) => {
      const engine = await subscribed(await open(), 'a')
      const now = await nowOf(engine)
      const seen = arrival('1', { subjects: ['ada'], createInstant: now - 10 * dayMs })
      await engine.append([seen])
      await erase(engine, { userId: 'ada' })

      assert.deepEqual(await engine.append([seen]), ['duplicate'])
      const older = arrival('2', { subjects: ['bob', 'ada'], createInstant: now - dayMs, lane: 'ada' })
      assert.deepEqual(await engine.append([older]), ['stored'])
      assert.deepEqual(await engine.append([older]), ['duplicate'])
      const newer = arrival('3', { subjects: ['ada'], createInstant: now + dayMs })
      await engine.append([newer, arrival('4', { subjects: ['bob'], createInstant: now - dayMs })])

      const kept = await engine.get(older.key)
      assert.deepEqual([kept?.gone, kept?.body, kept?.deliveries], ['erased', undefined, []])
      assert.deepEqual(found(await all(tended(engine), {})), ['4', '3'])
      assert.deepEqual(idsOf(await drain(engine, 'a')).toSorted(), ['3', '4'])
    },
  ),

  tendingClause('asks the gate again about a refused event whose person was erased', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const now = await nowOf(engine)
    const of = (id: string, age: number) =>
      arrival(id, { subjects: ['ada'], createInstant: now - age, lane: 'ada' })
    const [before, after] = [of('before', 2 * dayMs), of('after', dayMs)]
    await engine.append([{ ...before, refused: 'ada may not' }])
    await erase(engine, { userId: 'ada' })
    await engine.append([{ ...after, refused: 'ada may not' }])

    assert.deepEqual(await engine.known([before, after]), [false, false])
    for (const { key } of [before, after]) {
      const kept = await engine.get(key)
      assert.deepEqual([kept?.gone, kept?.body, kept?.refused], ['erased', undefined, 'erased'])
    }

    assert.deepEqual(await engine.append([before, after]), ['stored', 'stored'])
    assert.deepEqual(await engine.known([before, after]), [true, true])
    for (const { key } of [before, after]) {
      const kept = await engine.get(key)
      assert.deepEqual([kept?.gone, kept?.body, kept?.refused], ['erased', undefined, undefined])
    }
    assert.deepEqual(idsOf(await drain(engine, 'a')), [])
  }),

  tendingClause('remembers the note of an erasure until it has ended', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const tend = tended(engine)
    const now = await nowOf(engine)
    const [ada, there] = [{ userId: 'ada' }, { userId: 'ada', tenantId: 't' }]
    assert.equal(await tend.findErasureNote(ada), undefined)
    await tend.noteErasure(ada, Buffer.from('first'))
    await tend.noteErasure(ada, Buffer.from([0, 0xff]))
    await tend.noteErasure(there, Buffer.from('there'))

    assert.deepEqual(Buffer.from((await tend.findErasureNote(ada)) ?? []), Buffer.from([0, 0xff]))
    assert.equal(await tend.findErasureNote({ userId: 'bob' }), undefined)
    await engine.append([arrival('1', { subjects: ['ada'], createInstant: now - dayMs })])
    assert.equal((await engine.get(arrival('1', { createInstant: now - dayMs }).key))?.gone, 'erased')

    await tend.endErasure(ada)
    assert.equal(await tend.findErasureNote(ada), undefined)
    assert.equal(Buffer.from((await tend.findErasureNote(there)) ?? []).toString(), 'there')
    await engine.append([arrival('2', { subjects: ['ada'], createInstant: now - dayMs })])
    assert.equal((await engine.get(arrival('2', { createInstant: now - dayMs }).key))?.gone, 'erased')
  }),

  tendingClause('erases in one tenant where one is named', async ({ open }) => {
    const engine = await open()
    const now = await nowOf(engine)
    const of = (id: string, tenantId: string) =>
      arrival(id, { subjects: ['ada'], tenantId, createInstant: now - dayMs })
    await engine.append([of('1', 't1'), of('2', 't2')])
    assert.deepEqual(await erase(engine, { userId: 'ada', tenantId: 't1' }), { events: 1, deliveries: 0 })
    await engine.append([of('3', 't1'), of('4', 't2')])
    assert.deepEqual(found(await all(tended(engine), { userId: 'ada' })), ['4', '2'])
  }),

  // ── receipts

  tendingClause('remembers receipts in a ring, newest first', async ({ open }) => {
    const tend = tended(await open())
    const receipt = (at: number) => ({ at, tookMs: 2, status: 400, outcome: 'refused', reason: 'no JSON' })
    await tend.record([{ ...receipt(0), type: 'user.create', id: 'e' }])
    assert.deepEqual((await tend.receipts({ limit: 9 })).items, [
      { ...receipt(0), type: 'user.create', id: 'e' },
    ])
    for (let at = 1; at <= receiptLimit; at += 500) {
      await tend.record(Array.from({ length: 500 }, (_, i) => receipt(at + i)))
    }
    let count = 0
    let after: string | undefined
    do {
      const page = await tend.receipts({ limit: 500, ...(after !== undefined && { after }) })
      page.items.forEach(({ at }, i) => assert.equal(at, receiptLimit - count - i))
      count += page.items.length
      after = page.next
    } while (after !== undefined)
    assert.equal(count, receiptLimit)
  }),

  // ── pages

  tendingClause('gives no next page after the last item', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const tend = tended(engine)
    const ids = ['1', '2', '3', '4']
    const others = ids.map((id) => arrival(id, { body: Buffer.from(`other ${id}`) }))
    await engine.append([...ids.map((id) => arrival(id)), ...others])
    await tend.record(ids.map((_, at) => ({ at, tookMs: 1, status: 400, outcome: 'refused' })))
    const asked: Readonly<Record<string, (paging: Paging) => Promise<Page<unknown>>>> = {
      events: (paging) => tend.find({}, paging),
      'events of a type': (paging) => tend.find({ type: 'user.update.complete' }, paging),
      'waiting events': (paging) => tend.find({ state: 'pending' }, paging),
      conflicts: (paging) => tend.find({ state: 'conflict' }, paging),
      receipts: (paging) => tend.receipts(paging),
    }
    for (const [name, page] of Object.entries(asked)) {
      for (const order of ['newest', 'oldest'] as const) {
        const whole = await page({ limit: 4, order })
        assert.equal(whole.items.length, 4, name)
        assert.equal(whole.next, undefined, `${name}, ${order} first: a page that holds all has no next one`)

        const first = await page({ limit: 2, order })
        assert.ok(first.next, name)
        const second = await page({ limit: 2, order, after: first.next })
        assert.deepEqual([...first.items, ...second.items], whole.items, name)
        assert.equal(second.next, undefined, `${name}, ${order} first: the second of two pages is the last`)
      }
    }
  }),
]

function tendingClause(name: string, run: (subject: ContractSubject) => Promise<void>): Clause {
  return { ...clause(name, run), needs: 'tending' }
}

function restartClause(
  name: string,
  run: (subject: ContractSubject, restartAhead: (ms: number) => Promise<Engine>) => Promise<void>,
): Clause {
  return {
    name,
    needs: 'restarts',
    run(subject) {
      assert.ok(subject.restartAhead, 'this clause needs restarts')
      return run(subject, subject.restartAhead)
    },
  }
}

function tended(engine: Engine): Tending {
  assert.ok(engine.tend, 'this engine cannot be tended')
  return engine.tend
}

/** Every page. */
async function all(
  tend: Tending,
  where: Filter,
  paging: { limit?: number; order?: 'newest' | 'oldest'; bodies?: boolean } = {},
  between?: () => Promise<unknown>,
): Promise<readonly Kept[]> {
  const events: Kept[] = []
  let after: string | undefined
  do {
    const page = await tend.find(where, { limit: 3, ...paging, ...(after !== undefined && { after }) })
    events.push(...page.items)
    after = page.next
    await between?.()
  } while (after !== undefined)
  return events
}

async function replay(engine: Engine, where: Filter): Promise<number> {
  return sum(
    (after) => tended(engine).replay(where, after),
    ({ deliveries }) => deliveries,
  )
}

async function prune(engine: Engine, retention: Parameters<Tending['prune']>[0]): Promise<number> {
  return sum(
    (after) => tended(engine).prune(retention, after),
    ({ events }) => events,
  )
}

async function erase(
  engine: Engine,
  person: Parameters<Tending['erase']>[0],
): Promise<{ events: number; deliveries: number }> {
  let deliveries = 0
  const events = await sum(
    (after) => tended(engine).erase(person, after),
    (step) => {
      deliveries += step.deliveries
      return step.events
    },
  )
  return { events, deliveries }
}

async function sum<Step extends { readonly next?: string }>(
  take: (after: string | undefined) => Promise<Step>,
  count: (step: Step) => number,
): Promise<number> {
  let total = 0
  let after: string | undefined
  do {
    const step = await take(after)
    total += count(step)
    after = step.next
  } while (after !== undefined)
  return total
}

async function drainAll(engine: Engine): Promise<void> {
  for (;;) {
    const { leases, nextInMs } = await engine.claim([{ handler: 'a', limit: 500 }], leaseMs)
    await settle(engine, leases, { kind: 'succeeded' })
    if (leases.length === 0 && nextInMs !== 0) return
  }
}

function found(events: readonly Kept[]): readonly string[] {
  return events.map(({ key }) => key.id)
}

/** The store's time: an engine shows it in when it kept something. */
async function nowOf(engine: Engine): Promise<number> {
  const probe = arrival('what time is it?', { receivedAt: 0, refused: 'only asking' })
  await engine.append([probe])
  const at = (await engine.get(probe.key))?.keptAt
  assert.ok(at !== undefined)
  await prune(engine, {}) // A refused event leaves nothing.
  return at
}
