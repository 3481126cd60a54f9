import assert from 'node:assert/strict'
import { arrival } from './arrival.ts'
import {
  type Clause,
  assertNear,
  atomicClause,
  createSignal,
  claimOne,
  clause,
  drain,
  failure,
  idsOf,
  leaseMs,
  settle,
  sharingClause,
  subscribed,
  subscription,
} from './clause.ts'
import type { Outcome } from '../model/outcome.ts'

/** Every promise an engine makes, each tried on an empty store. */
export const engineContract: readonly Clause[] = [
  // ── append

  clause('stores an event and finds it again, byte for byte', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const bytes = Buffer.from([0x7b, 0x00, 0xff, 0xfe, 0xed, 0xa0, 0x80, 0x7d])
    const event = arrival('1', {
      tenantId: 't',
      type: 'user.create.complete',
      source: 'reconcile',
      body: bytes,
    })

    assert.deepEqual(await engine.append([event]), ['stored'])

    const kept = await engine.get(event.key)
    assert.ok(kept)
    assert.deepEqual(Buffer.from(kept.body ?? []), bytes)
    const { body: _, keptAt: __, ...rest } = kept
    assert.deepEqual(rest, {
      key: event.key,
      type: 'user.create.complete',
      source: 'reconcile',
      receivedAt: event.receivedAt,
      size: bytes.length,
      deliveries: [{ handler: 'a', state: 'pending', attempts: 0, failures: [] }],
    })
  }),

  clause('returns undefined for an unknown event', async ({ open }) => {
    const engine = await open()
    assert.equal(await engine.get(arrival('1').key), undefined)
  }),

  clause('answers each arrival of a batch in its place', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('2')])
    const batch = [arrival('1'), arrival('2'), arrival('2', { body: Buffer.from('other') }), arrival('3')]
    assert.deepEqual(await engine.append(batch), ['stored', 'duplicate', 'conflict', 'stored'])
    assert.deepEqual(await engine.append([]), [])
  }),

  clause('gives the trace that an event came with back with each of its leases', async ({ open }) => {
    const engine = await subscribed(await open(), 'a', 'b')
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await engine.append([arrival('1', { trace }), arrival('2')])
    const { leases } = await engine.claim(
      ['a', 'b'].map((handler) => ({ handler, limit: 9 })),
      leaseMs,
    )
    const tracesOf = (id: string) =>
      leases.filter(({ event }) => event.key.id === id).map(({ event }) => event.trace)
    assert.deepEqual(tracesOf('1'), [trace, trace])
    assert.deepEqual(tracesOf('2'), [undefined, undefined])
  }),

  clause('stores an id that comes twice in one batch once', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    assert.deepEqual(await engine.append([arrival('1'), arrival('1')]), ['stored', 'duplicate'])
    assert.equal((await drain(engine, 'a')).length, 1)
  }),

  clause('distinguishes events by instant, tenant and id together', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const events = [
      arrival('1'),
      arrival('1', { tenantId: 't' }),
      arrival('1', { createInstant: 0 }),
      arrival('2'),
    ]
    assert.deepEqual(await engine.append(events), ['stored', 'stored', 'stored', 'stored'])
    assert.equal((await drain(engine, 'a')).length, 4)
  }),

  clause('keeps the first body when another comes under its key', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const first = arrival('1')
    await engine.append([first])
    const other = arrival('1', { body: Buffer.from('other') })

    assert.deepEqual(await engine.append([other]), ['conflict'])
    assert.deepEqual(await engine.append([other]), ['conflict'])

    assert.deepEqual(Buffer.from((await engine.get(first.key))?.body ?? []), Buffer.from(first.body))
    assert.equal((await drain(engine, 'a')).length, 1)
  }),

  clause('keeps a refused event without deliveries until it is accepted', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const refused = arrival('1', { refused: 'not today' })

    assert.deepEqual(await engine.append([refused]), ['stored'])
    assert.deepEqual(await engine.append([refused]), ['duplicate'])
    const before = await engine.get(refused.key)
    assert.equal(before?.refused, 'not today')
    assert.deepEqual(before?.deliveries, [])
    assert.deepEqual(await engine.known([refused]), [false])
    assert.equal((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)

    assert.deepEqual(await engine.append([arrival('1')]), ['stored'])
    assert.deepEqual(await engine.append([arrival('1')]), ['duplicate'])
    assert.deepEqual(await engine.append([refused]), ['duplicate'])
    const after = await engine.get(refused.key)
    assert.equal(after?.refused, undefined)
    assert.equal(after?.deliveries.length, 1)
    assert.deepEqual(await engine.known([refused]), [true])
    assert.equal((await drain(engine, 'a')).length, 1)
    assert.equal((await engine.stats()).events, 1)
  }),

  clause(
    'puts an event that is accepted after a refusal behind the events that came meanwhile',
    async ({ open }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1', { lane: 'u', refused: 'no' }), arrival('2', { lane: 'u' })])
      await engine.append([arrival('1', { lane: 'u' })])
      assert.deepEqual(idsOf(await drain(engine, 'a')), ['2', '1'])
    },
  ),

  clause('accepts with another body than it refused', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1', { refused: 'no' })])
    const accepted = arrival('1', { body: Buffer.from('other') })
    assert.deepEqual(await engine.append([accepted]), ['stored'])
    assert.deepEqual(Buffer.from((await engine.get(accepted.key))?.body ?? []), Buffer.from('other'))
  }),

  clause('keeps the neighbours of a poison arrival', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const awkward = ['\0', '\ud800', '\udc00\ud800', "'; drop table", 'x'.repeat(20_000), '\u202e', '']
    const poison = awkward.flatMap((text, i) => [
      arrival(`lane${i}`, { lane: text }),
      arrival(`type${i}`, { type: text }),
      arrival(`subject${i}`, { subjects: [text, text] }),
      arrival(`application${i}`, { applicationIds: [text] }),
      arrival(`refused${i}`, { refused: text }),
      arrival(`body${i}`, { body: Buffer.from(text) }),
      arrival(`late${i}`, { receivedAt: Number.NaN }),
    ])
    const batch = poison.flatMap((one, i) => [arrival(`before${i}`), one])

    const answers = await engine.append(batch)

    answers.forEach((answer, i) => {
      if (i % 2 === 0) assert.equal(answer, 'stored')
      else assert.ok(answer === 'stored' || answer === 'quarantined', answer)
    })
    assert.deepEqual(
      await engine.known(batch.filter((_, i) => i % 2 === 0)),
      poison.map(() => true),
    )
  }),

  clause('knows what it holds', async ({ open }) => {
    const engine = await open()
    await engine.append([arrival('1'), arrival('2', { refused: 'no' })])
    assert.deepEqual(await engine.known(['1', '2', '3'].map((id) => arrival(id))), [true, false, false])
    assert.deepEqual(await engine.known([]), [])
  }),

  clause('knows a copy by its bytes, and sets other bytes aside', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const first = arrival('1')
    const other = arrival('1', { body: Buffer.from('other') })
    await engine.append([first])
    assert.deepEqual(await engine.known([first, other]), [true, false])

    assert.deepEqual(await engine.append([{ ...other, refused: 'no' }]), ['conflict'])
    assert.deepEqual(await engine.known([other]), [false])

    assert.deepEqual(await engine.append([other]), ['conflict'])
    assert.deepEqual(await engine.append([{ ...other, refused: 'no' }]), ['conflict'])
    assert.deepEqual(await engine.known([first, other]), [true, true])
    assert.equal((await drain(engine, 'a')).length, 1)
  }),

  clause('remembers the key of an accepted event that no handler wants', async ({ open }) => {
    const engine = await open()
    await engine.subscribe([{ ...subscription('a'), types: ['user.create'] }])
    const decided = arrival('1', { ifUnwanted: 'key', lane: 'u', subjects: ['u'] })
    const forgotten = arrival('2', { ifUnwanted: 'nothing' })
    const batch = [decided, forgotten, arrival('3', { type: 'user.create', ifUnwanted: 'key' })]
    assert.deepEqual(await engine.append(batch), ['unwanted', 'unwanted', 'stored'])
    assert.deepEqual(await engine.append(batch), ['duplicate', 'unwanted', 'duplicate'])
    assert.deepEqual(await engine.known(batch), [true, false, true])
    const kept = await engine.get(decided.key)
    assert.deepEqual([kept?.gone, kept?.size, kept?.body, kept?.deliveries], ['unwanted', 0, undefined, []])
    assert.equal(await engine.get(forgotten.key), undefined)

    const refused = arrival('4', { ifUnwanted: 'key', refused: 'no' })
    assert.deepEqual(await engine.append([refused]), ['stored'])
    assert.deepEqual(await engine.append([arrival('4', { ifUnwanted: 'key' })]), ['unwanted'])
    assert.deepEqual(await engine.known([refused]), [true])
    const later = await engine.get(refused.key)
    assert.deepEqual([later?.gone, later?.refused], ['unwanted', undefined])
  }),

  clause('answers a probe', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await engine.probe()
    await engine.probe(1_000_000)
    assert.equal((await engine.stats()).events, 1)
    assert.notEqual(await engine.hasRoom?.('user.delete'), false)
  }),

  // ── subscriptions

  clause('gives each handler the types it asked for', async ({ open }) => {
    const engine = await open()
    await engine.subscribe([
      { ...subscription('one'), types: ['user.create.complete'] },
      { ...subscription('two'), types: ['user.create.complete', 'user.delete.complete'] },
      { ...subscription('all'), types: '*' },
    ])
    await engine.append([
      arrival('1', { type: 'user.create.complete' }),
      arrival('2', { type: 'user.delete.complete' }),
      arrival('3', { type: 'user.create' }),
    ])
    assert.deepEqual(idsOf(await drain(engine, 'one')), ['1'])
    assert.deepEqual(idsOf(await drain(engine, 'two')), ['1', '2'])
    assert.deepEqual(idsOf(await drain(engine, 'all')), ['1', '2', '3'])
  }),

  clause('filters by tenant and by application', async ({ open }) => {
    const engine = await open()
    await engine.subscribe([
      { ...subscription('t'), tenantIds: ['t1', 't2'] },
      { ...subscription('a'), applicationIds: ['a1', 'a2'] },
      { ...subscription('both'), tenantIds: ['t1'], applicationIds: ['a1'] },
    ])
    await engine.append([
      arrival('1', { tenantId: 't1' }),
      arrival('2', { tenantId: 't3', applicationIds: ['a3', 'a2'] }),
      arrival('3', { applicationIds: ['a3'] }),
      arrival('4', { tenantId: 't1', applicationIds: ['a1'] }),
    ])
    assert.deepEqual(idsOf(await drain(engine, 't')), ['1', '4'])
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['2', '4'])
    assert.deepEqual(idsOf(await drain(engine, 'both')), ['4'])
  }),

  clause('gives a handler added later the later events only', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await engine.subscribe([subscription('b')])
    await engine.append([arrival('2')])
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['1', '2'])
    assert.deepEqual(idsOf(await drain(engine, 'b')), ['2'])
  }),

  clause('replaces the filters of a name and keeps the deliveries it has', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await engine.subscribe([{ ...subscription('a'), types: ['user.delete.complete'] }])
    await engine.append([arrival('2'), arrival('3', { type: 'user.delete.complete' })])
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['1', '3'])
  }),

  clause('keeps an event that no handler wants', async ({ open }) => {
    const engine = await open()
    assert.deepEqual(await engine.append([arrival('1')]), ['stored'])
    assert.deepEqual((await engine.get(arrival('1').key))?.deliveries, [])
  }),

  // ── lanes

  clause('leases one delivery of a lane at a time, in order of arrival', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append(['1', '2', '3'].map((id) => arrival(id, { lane: 'u' })))
    for (const id of ['1', '2', '3']) {
      const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      assert.deepEqual(idsOf(leases), [id])
      assert.equal((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)
      await settle(engine, leases, { kind: 'succeeded' })
    }
  }),

  clause('keeps a lane in order through retries, waits and releases', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append(['1', '2'].map((id) => arrival(id, { lane: 'u' })))
    for (const turn of ['retry', 'wait', 'release'] as const) {
      const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      assert.deepEqual(idsOf(leases), ['1'])
      if (turn === 'release') await engine.release(leases)
      else if (turn === 'wait') await settle(engine, leases, { kind: 'wait', afterMs: 500 })
      else await settle(engine, leases, { kind: 'retry', afterMs: 500, failure })
      await engine.append([arrival(`after ${turn}`, { lane: 'u' })])
      if (turn !== 'release') {
        assert.equal((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)
        await advance(500)
      }
    }
    assert.deepEqual(idsOf(await drain(engine, 'a')), [
      '1',
      '2',
      'after retry',
      'after wait',
      'after release',
    ])
  }),

  clause('keeps lanes of different handlers apart', async ({ open }) => {
    const engine = await subscribed(await open(), 'a', 'b')
    await engine.append(['1', '2'].map((id) => arrival(id, { lane: 'u' })))
    const a = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    assert.deepEqual(idsOf(a.leases), ['1'])
    assert.deepEqual(idsOf(await drain(engine, 'b')), ['1', '2'])
    await settle(engine, a.leases, { kind: 'succeeded' })
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['2'])
  }),

  clause('never lets a blocked lane hold up another', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append(Array.from({ length: 2_000 }, (_, i) => arrival(`blocked ${i}`, { lane: 'u' })))
    const blocked = await engine.claim([{ handler: 'a', limit: 8 }], leaseMs)
    assert.equal(blocked.leases.length, 1)
    await engine.append(Array.from({ length: 20 }, (_, i) => arrival(`free ${i}`, { lane: `v${i % 4}` })))

    const drained = idsOf(await drain(engine, 'a'))

    assert.equal(drained.length, 20)
    assert.ok(drained.every((id) => id.startsWith('free')))
  }),

  clause('leases everything at once when ordering is none', async ({ open }) => {
    const engine = await open()
    await engine.subscribe([{ ...subscription('a'), ordering: 'none' }])
    await engine.append(['1', '2', '3'].map((id) => arrival(id, { lane: 'u' })))
    assert.deepEqual(idsOf((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases), [
      '1',
      '2',
      '3',
    ])
  }),

  clause('leases events without a lane side by side', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1'), arrival('2')])
    assert.deepEqual(idsOf((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases), ['1', '2'])
  }),

  // ── claim

  clause('leases with all a handler needs to know', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const event = arrival('1', { tenantId: 't', lane: 'u', source: 'manual' })
    await engine.append([event])
    const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)
    const [lease] = leases
    assert.ok(lease)
    assert.equal(lease.handler, 'a')
    assert.equal(lease.attempt, 1)
    assert.equal(lease.failingForMs, 0)
    assert.deepEqual(lease.event.key, event.key)
    assert.equal(lease.event.type, event.type)
    assert.equal(lease.event.source, 'manual')
    assert.equal(lease.event.receivedAt, event.receivedAt)
    assert.deepEqual(Buffer.from(lease.event.body), Buffer.from(event.body))
  }),

  clause('gives positions that grow with arrival', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1'), arrival('2')])
    await engine.append([arrival('3')])
    const positions = (await drain(engine, 'a')).map(({ position }) => position)
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(positions).size, 3)
  }),

  clause('limits each handler by its own want, so that a busy one starves none', async ({ open }) => {
    const engine = await subscribed(await open(), 'busy', 'calm')
    await engine.append(Array.from({ length: 100 }, (_, i) => arrival(String(i))))
    const { leases } = await engine.claim(
      [
        { handler: 'busy', limit: 10 },
        { handler: 'calm', limit: 3 },
        { handler: 'unheard of', limit: 3 },
      ],
      leaseMs,
    )
    assert.equal(leases.filter(({ handler }) => handler === 'busy').length, 10)
    assert.equal(leases.filter(({ handler }) => handler === 'calm').length, 3)
    assert.equal(leases.length, 13)
  }),

  clause('lets new arrivals take their turn while retries keep coming due', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append(Array.from({ length: 8 }, (_, i) => arrival(`failing ${i}`, { lane: `f${i}` })))
    const first = await engine.claim([{ handler: 'a', limit: 8 }], leaseMs)
    await settle(engine, first.leases, { kind: 'retry', afterMs: 1, failure })
    await engine.append([arrival('new', { lane: 'new' })])
    for (let round = 0; round < 8; round++) {
      await advance(10)
      const { leases } = await engine.claim([{ handler: 'a', limit: 4 }], leaseMs)
      if (idsOf(leases).includes('new')) return
      await settle(engine, leases, { kind: 'retry', afterMs: 1, failure })
    }
    assert.fail('the new arrival was never claimed')
  }),

  clause('says when claiming can next give more', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    const want = [{ handler: 'a', limit: 1 }]
    assert.equal((await engine.claim(want, leaseMs)).nextInMs, undefined)

    await engine.append([arrival('1'), arrival('2')])
    const first = await engine.claim(want, leaseMs)
    assert.equal(first.nextInMs, 0)
    const second = await engine.claim(want, leaseMs)
    assertNear(second.nextInMs, leaseMs)

    await settle(engine, first.leases, { kind: 'retry', afterMs: 5_000, failure })
    assertNear((await engine.claim(want, leaseMs)).nextInMs, 5_000)
    await advance(2_000)
    assertNear((await engine.claim(want, leaseMs)).nextInMs, 3_000)
    await advance(3_000)
    const third = await engine.claim(want, leaseMs)
    assert.deepEqual(idsOf(third.leases), ['1'])
    await settle(engine, [...second.leases, ...third.leases], { kind: 'succeeded' })
    assert.equal((await engine.claim(want, leaseMs)).nextInMs, undefined)
  }),

  // ── leases

  clause('leases again what a crashed worker held, and counts the attempt', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1', { lane: 'u' }), arrival('2', { lane: 'u' })])
    await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    await advance(leaseMs - 1_000)
    assert.equal((await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)
    await advance(1_000)
    const { leases, crashed } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    assert.deepEqual(idsOf(leases), ['1'])
    assert.equal(leases[0]?.attempt, 2)
    assert.deepEqual(crashed, [])
  }),

  clause(
    'tries deliveries that were leased together again in halves, and no others with them',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a', 'b')
      await engine.append(['1', '2', '3', '4'].map((id) => arrival(id)))
      const wants = ['a', 'b'].map((handler) => ({ handler, limit: 9 }))
      assert.equal((await engine.claim(wants, leaseMs)).leases.length, 8)
      await advance(leaseMs)
      await engine.append([arrival('5')])

      const others = await engine.claim(wants, leaseMs, 'none')
      assert.deepEqual(idsOf(others.leases), ['5', '5'])
      assert.equal(others.suspects, true)
      assert.equal(others.nextInMs, 0)
      for (const lease of others.leases) assert.equal(lease.attempt, 1)
      await settle(engine, others.leases, { kind: 'succeeded' })

      const half = await engine.claim(wants, leaseMs)
      assert.equal(half.suspects, true)
      assert.equal(half.leases.length, 4)
      for (const lease of half.leases) assert.equal(lease.attempt, 2)
      // Another process may try the other half meanwhile, or less.
      const other = await engine.claim(wants, leaseMs)
      assert.equal(other.suspects, true)
      assert.equal(other.leases.length, 4)
      await settle(engine, other.leases, { kind: 'succeeded' })
      assert.equal((await engine.claim(wants, leaseMs)).leases.length, 0)

      await advance(leaseMs)
      const quarter = await engine.claim(wants, leaseMs)
      assert.equal(quarter.leases.length, 2)
      await settle(engine, quarter.leases, { kind: 'succeeded' })
      const last = await engine.claim(wants, leaseMs)
      assert.equal(last.leases.length, 2)
      await settle(engine, last.leases, { kind: 'succeeded' })
      await engine.append([arrival('6')])
      const after = await engine.claim(wants, leaseMs)
      assert.deepEqual(idsOf(after.leases), ['6', '6'])
      assert.notEqual(after.suspects, true)
    },
  ),

  clause(
    'clears a suspect when its attempt ends, and when it is given back keeps it',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1'), arrival('2')])
      const wants = [{ handler: 'a', limit: 9 }]
      await engine.claim(wants, leaseMs)
      await advance(leaseMs)
      const first = await engine.claim(wants, leaseMs)
      assert.deepEqual(idsOf(first.leases), ['1'])
      await engine.release(first.leases)
      const again = await engine.claim(wants, leaseMs)
      assert.equal(again.suspects, true)
      assert.equal(again.leases.length, 1)
      await settle(engine, again.leases, { kind: 'retry', afterMs: 0, failure })
      const other = await engine.claim(wants, leaseMs)
      assert.equal(other.suspects, true)
      await settle(engine, other.leases, { kind: 'retry', afterMs: 0, failure })
      const both = await engine.claim(wants, leaseMs)
      assert.equal(both.leases.length, 2)
      assert.notEqual(both.suspects, true)
    },
  ),

  clause('counts other leases of the process as the company of a suspect', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await claimOne(engine)
    for (let crash = 0; crash < 6; crash++) {
      await advance(leaseMs)
      const { leases, crashed } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs, 3)
      assert.deepEqual(crashed, [])
      assert.deepEqual(idsOf(leases), ['1'])
    }
  }),

  clause(
    'gives up as crashed after the third lease that expired while it ran alone, and frees the lane',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      const [first, second] = [arrival('1', { lane: 'u' }), arrival('2', { lane: 'u' })]
      await engine.append([first, second])
      for (let crash = 0; crash < 4; crash++) {
        // The first lease may have had company; from then on it runs alone.
        const { leases, crashed } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
        assert.deepEqual(idsOf(leases), ['1'])
        assert.deepEqual(crashed, [])
        await advance(leaseMs)
      }
      const claimed = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
      assert.deepEqual(claimed.crashed, [{ handler: 'a', key: first.key, reason: 'crashed' }])
      const rest = [...claimed.leases, ...(await drain(engine, 'a'))]
      assert.deepEqual(idsOf(rest), ['2'])
      const [delivery] = (await engine.get(first.key))?.deliveries ?? []
      assert.equal(delivery?.state, 'dead')
      assert.equal(delivery?.reason, 'crashed')
      assert.equal(delivery?.attempts, 4)
    },
  ),

  clause(
    'takes a crash back when the process that held the lease turns out to be alive',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1')])
      let before = await claimOne(engine)
      for (let cut = 0; cut < 8; cut++) {
        await advance(leaseMs)
        const { leases, crashed } = await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)
        assert.deepEqual(crashed, [])
        if (cut % 2 === 0) assert.deepEqual(await engine.renew([before], leaseMs), ['lost'])
        else assert.deepEqual(await settle(engine, [before], { kind: 'succeeded' }), ['lost'])
        assert.ok(leases[0])
        assert.equal(leases[0].alone, true)
        before = leases[0]
      }
      assert.deepEqual(await settle(engine, [before], { kind: 'succeeded' }), ['settled'])
    },
  ),

  clause(
    'takes a crash back once, however often its lease is found to be lost',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1')])
      async function claimExpired() {
        await advance(leaseMs)
        return engine.claim([{ handler: 'a', limit: 1 }], leaseMs)
      }
      await claimOne(engine)
      await claimExpired() // Its process ends while it runs alone: the first crash.
      const slow = (await claimExpired()).leases
      assert.equal(slow[0]?.alone, true)
      await claimExpired()
      for (let n = 0; n < 3; n++) {
        assert.deepEqual(await engine.renew(slow, leaseMs), ['lost'])
        assert.deepEqual(await settle(engine, slow, { kind: 'succeeded' }), ['lost'])
      }
      assert.equal((await claimExpired()).leases.length, 1) // The second crash.
      assert.deepEqual(
        (await claimExpired()).crashed.map(({ reason }) => reason),
        ['crashed'],
      )
    },
  ),

  clause(
    'of eight that were leased together gives up the one that ends its process, and no other',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append(Array.from({ length: 8 }, (_, i) => arrival(String(i), { lane: `u${i}` })))
      const guilty = '5'
      const crashed: string[] = []
      let crashes = 0
      for (let round = 0; round < 30 && crashed.length === 0; round++) {
        const claimed = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
        crashed.push(...claimed.crashed.map(({ key }) => key.id))
        if (!idsOf(claimed.leases).includes(guilty)) {
          await settle(engine, claimed.leases, { kind: 'succeeded' })
          continue
        }
        crashes++
        await advance(leaseMs)
      }
      await drain(engine, 'a')
      assert.deepEqual(crashed, [guilty])
      assert.equal(crashes, 6) // All eight, four, two, and three times one.
      assert.deepEqual(
        (await engine.stats()).handlers.map(({ pending, dead }) => [pending, dead]),
        [[0, 1]],
      )
    },
  ),

  clause('makes no other attempt when the last that is allowed was cut off', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append(['1', '2', '3'].map((id) => arrival(id, { lane: id })))
    const wants = [{ handler: 'a', limit: 2, maxAttempts: 1 }]
    const { leases } = await engine.claim(wants, leaseMs)
    assert.deepEqual(idsOf(leases), ['1', '2'])
    await settle(engine, leases.slice(1), { kind: 'succeeded' })
    await advance(leaseMs)
    const after = await engine.claim(wants, leaseMs)
    assert.deepEqual(after.crashed, [{ handler: 'a', key: arrival('1').key, reason: 'interrupted' }])
    assert.deepEqual(idsOf(after.leases), ['3'])
    const [delivery] = (await engine.get(arrival('1').key))?.deliveries ?? []
    assert.equal(delivery?.state, 'dead')
    assert.equal(delivery?.reason, 'interrupted')
    assert.equal(delivery?.attempts, 1)
  }),

  clause(
    'runs what may be attempted few times alone after a crash, so that neighbours cost it none',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append(['1', '2', '3', '4'].map((id) => arrival(id)))
      const wants = [{ handler: 'a', limit: 9, maxAttempts: 3 }]
      await engine.claim(wants, leaseMs)
      await advance(leaseMs)
      for (const id of ['1', '2', '3', '4']) {
        const { leases } = await engine.claim(wants, leaseMs)
        assert.deepEqual(idsOf(leases), [id])
        assert.equal(leases[0]?.attempt, 2)
        await settle(engine, leases, { kind: 'succeeded' })
      }
    },
  ),

  clause('renews a lease', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    const lease = await claimOne(engine)
    await advance(leaseMs - 1_000)
    assert.deepEqual(await engine.renew([lease], leaseMs), ['renewed'])
    await advance(leaseMs - 1_000)
    assert.equal((await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)).leases.length, 0)
    assert.deepEqual(await settle(engine, [lease], { kind: 'succeeded' }), ['settled'])
  }),

  clause('ignores a late settle, renew and release', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    const event = arrival('1')
    await engine.append([event])
    const late = await claimOne(engine)
    await advance(leaseMs)
    const current = await claimOne(engine)
    const before = await engine.get(event.key)

    const outcomes: Outcome[] = [
      { kind: 'succeeded' },
      { kind: 'skipped' },
      { kind: 'retry', afterMs: 0, failure },
      { kind: 'wait', afterMs: 0 },
      { kind: 'dead', reason: 'permanent', failure },
    ]
    for (const outcome of outcomes) assert.deepEqual(await settle(engine, [late], outcome), ['lost'])
    assert.deepEqual(await engine.renew([late], leaseMs), ['lost'])
    await engine.release([late])

    assert.deepEqual(await engine.get(event.key), before)
    assert.deepEqual(await settle(engine, [current], { kind: 'succeeded' }), ['settled'])
    assert.deepEqual(await settle(engine, [current], { kind: 'succeeded' }), ['lost'])
    assert.deepEqual(await engine.renew([current], leaseMs), ['lost'])
  }),

  clause('answers each settlement of a batch in its place', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1'), arrival('2')])
    const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    await settle(engine, leases.slice(0, 1), { kind: 'succeeded' })
    assert.deepEqual(await engine.renew(leases, leaseMs), ['lost', 'renewed'])
    assert.deepEqual(await settle(engine, leases, { kind: 'succeeded' }), ['lost', 'settled'])
    assert.deepEqual(await engine.settle([]), [])
  }),

  clause('takes a released lease back as if it had never been claimed claimed', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    const released = await claimOne(engine)
    await engine.release([released])
    const again = await claimOne(engine)
    assert.equal(again.attempt, 1)
    assert.deepEqual(await settle(engine, [released], { kind: 'succeeded' }), ['lost'])
    assert.deepEqual(await settle(engine, [again], { kind: 'succeeded' }), ['settled'])
  }),

  // ── outcomes

  clause('ends what succeeded and what was skipped', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1'), arrival('2')])
    const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], leaseMs)
    await settle(engine, leases.slice(0, 1), { kind: 'succeeded' })
    await settle(engine, leases.slice(1), { kind: 'skipped' })
    assert.deepEqual((await engine.get(arrival('1').key))?.deliveries, [
      { handler: 'a', state: 'succeeded', attempts: 1, failures: [] },
    ])
    assert.deepEqual((await engine.get(arrival('2').key))?.deliveries, [
      { handler: 'a', state: 'succeeded', attempts: 1, reason: 'skipped', failures: [] },
    ])
  }),

  clause('retries no sooner than asked, with the failure kept', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 7_000, failure })
    await advance(6_000)
    assert.equal((await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)).leases.length, 0)
    assert.deepEqual((await engine.get(arrival('1').key))?.deliveries, [
      { handler: 'a', state: 'pending', attempts: 1, failures: [failure] },
    ])
    await advance(1_000)
    assert.equal((await claimOne(engine)).attempt, 2)
    assert.equal((await engine.get(arrival('1').key))?.deliveries[0]?.state, 'leased')
  }),

  clause('takes times that are no whole milliseconds', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    assert.deepEqual(await engine.append([arrival('1', { receivedAt: 1_700_000_000_000.25 })]), ['stored'])
    const { leases } = await engine.claim([{ handler: 'a', limit: 1 }], leaseMs + 0.5)
    assert.deepEqual(await engine.renew(leases, leaseMs + 0.5), ['renewed'])
    assert.deepEqual(await settle(engine, leases, { kind: 'retry', afterMs: 7_000.5, failure }), ['settled'])
    await advance(6_000)
    assert.equal((await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)).leases.length, 0)
    await advance(1_001)
    await claimOne(engine)
  }),

  clause('waits without counting the attempt', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await settle(engine, [await claimOne(engine)], { kind: 'wait', afterMs: 7_000 })
    await advance(6_000)
    assert.equal((await engine.claim([{ handler: 'a', limit: 1 }], leaseMs)).leases.length, 0)
    await advance(1_000)
    const lease = await claimOne(engine)
    assert.equal(lease.attempt, 1)
    assert.equal(lease.failingForMs, 0)
  }),

  clause('makes a dead letter, which frees its lane', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1', { lane: 'u' }), arrival('2', { lane: 'u' })])
    await settle(engine, [await claimOne(engine)], { kind: 'dead', reason: 'permanent', failure })
    assert.deepEqual((await engine.get(arrival('1').key))?.deliveries, [
      { handler: 'a', state: 'dead', attempts: 1, reason: 'permanent', failures: [failure] },
    ])
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['2'])
  }),

  clause('keeps the last ten failures', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    for (let i = 1; i <= 12; i++) {
      const nth = { at: i, message: `failure ${i}`, stack: `at ${i} "\0\ud800` }
      await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 0, failure: nth })
    }
    const [delivery] = (await engine.get(arrival('1').key))?.deliveries ?? []
    assert.equal(delivery?.attempts, 12)
    assert.deepEqual(
      delivery?.failures.map(({ message }) => message),
      Array.from({ length: 10 }, (_, i) => `failure ${i + 3}`),
    )
  }),

  clause(
    'says since when a delivery has failed itself, and for how long failures have held its lane',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append(['1', '2', '3'].map((id) => arrival(id, { lane: 'u' })))
      await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 0, failure })
      await advance(10_000)
      const second = await claimOne(engine)
      assertNear(second.failingForMs, 10_000)
      assertNear(second.laneHeldForMs, 10_000)
      await settle(engine, [second], { kind: 'dead', reason: 'failed', failure })
      await advance(5_000)
      const third = await claimOne(engine)
      assert.deepEqual(idsOf([third]), ['2'])
      assert.equal(third.failingForMs, 0)
      assertNear(third.laneHeldForMs, 15_000)
      await settle(engine, [third], { kind: 'retry', afterMs: 0, failure })
      await advance(1_000)
      const fourth = await claimOne(engine)
      assertNear(fourth.failingForMs, 1_000)
      assertNear(fourth.laneHeldForMs, 16_000)
      await settle(engine, [fourth], { kind: 'succeeded' })
      await advance(1_000)
      const last = await claimOne(engine)
      assert.deepEqual(idsOf([last]), ['3'])
      assert.equal(last.failingForMs, 0)
      assert.equal(last.laneHeldForMs, 0)
    },
  ),

  clause(
    'forgets what held a lane when nothing waits in it, and what ended at its first attempt',
    async ({ open, advance }) => {
      const engine = await subscribed(await open(), 'a')
      await engine.append([arrival('1', { lane: 'u' })])
      await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 0, failure })
      await advance(10_000)
      await settle(engine, [await claimOne(engine)], { kind: 'dead', reason: 'failed', failure })
      await advance(10_000)
      await engine.append([arrival('2', { lane: 'u' }), arrival('3', { lane: 'u' })])
      const second = await claimOne(engine)
      assert.equal(second.failingForMs, 0)
      assert.equal(second.laneHeldForMs, 0)
      await settle(engine, [second], { kind: 'dead', reason: 'permanent', failure })
      await advance(10_000)
      assert.equal((await claimOne(engine)).laneHeldForMs, 0)
    },
  ),

  clause('says how long a delivery without a lane has failed by itself', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    await settle(engine, [await claimOne(engine)], { kind: 'retry', afterMs: 0, failure })
    await advance(10_000)
    await engine.append([arrival('2')])
    const { leases } = await engine.claim([{ handler: 'a', limit: 2 }], leaseMs)
    assert.deepEqual(idsOf(leases), ['1', '2'])
    assertNear(leases[0]?.failingForMs, 10_000)
    assert.equal(leases[1]?.failingForMs, 0)
  }),

  // ── watch, stats, end

  clause('wakes a watcher when a delivery may be claimed', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    const { call, called } = createSignal()
    using watching = engine.watch(call)
    void watching
    await engine.append([arrival('1')])
    await called
  }),

  clause('counts what waits and what died', async ({ open, advance }) => {
    const engine = await subscribed(await open(), 'b', 'a')
    await engine.append([
      arrival('1', { lane: 'u', receivedAt: 1_000 }),
      arrival('2', { lane: 'u', receivedAt: 2_000 }),
      arrival('3', { receivedAt: 3_000 }),
    ])
    assert.deepEqual(await engine.stats(), {
      events: 3,
      handlers: [
        { handler: 'a', pending: 3, dead: 0, oldestPendingAt: 1_000 },
        { handler: 'b', pending: 3, dead: 0, oldestPendingAt: 1_000 },
      ],
    })
    const { leases } = await engine.claim([{ handler: 'a', limit: 9 }], leaseMs)
    await settle(engine, leases, { kind: 'dead', reason: 'permanent' })
    await advance(1)
    assert.deepEqual((await engine.stats()).handlers[0], {
      handler: 'a',
      pending: 1,
      dead: 2,
      oldestPendingAt: 2_000,
    })
    await drain(engine, 'a')
    assert.deepEqual((await engine.stats()).handlers[0], { handler: 'a', pending: 0, dead: 2 })
  }),

  clause('rejects everything after it was disposed', async ({ open }) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    const lease = await claimOne(engine)
    await engine[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    const stopped = { code: 'FW_STOPPED' }
    await assert.rejects(engine.open(), stopped)
    await assert.rejects(engine.subscribe([subscription('b')]), stopped)
    await assert.rejects(engine.append([arrival('2')]), stopped)
    await assert.rejects(engine.known([]), stopped)
    await assert.rejects(engine.probe(), stopped)
    await assert.rejects(engine.claim([], leaseMs), stopped)
    await assert.rejects(engine.renew([lease], leaseMs), stopped)
    await assert.rejects(engine.release([lease]), stopped)
    await assert.rejects(engine.settle([{ lease, outcome: { kind: 'succeeded' } }]), stopped)
    await assert.rejects(engine.get(lease.event.key), stopped)
    await assert.rejects(engine.stats(), stopped)
  }),

  // ── atomic

  atomicClause('commits an atomic handler with its settlement', async ({ open }, notes) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1', { lane: 'u' }), arrival('2', { lane: 'u' })])
    const lease = await claimOne(engine)
    assert.equal(await engine.atomic?.(lease, (sql) => notes.write(sql, 'one')), 'settled')
    assert.deepEqual(await notes.read(), ['one'])
    assert.equal((await engine.get(lease.event.key))?.deliveries[0]?.state, 'succeeded')
    assert.deepEqual(idsOf(await drain(engine, 'a')), ['2'])
  }),

  atomicClause('undoes all of an atomic handler that throws, and nothing else', async ({ open }, notes) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append(['1', '2', '3'].map((id) => arrival(id)))
    const { leases } = await engine.claim([{ handler: 'a', limit: 3 }], leaseMs)
    const thrown = new Error('no')

    const results = await Promise.allSettled(
      leases.map(async (lease, i) =>
        engine.atomic?.(lease, (sql) => {
          const written = notes.write(sql, `note ${i}`)
          if (i !== 1) return written
          if (!(written instanceof Promise)) throw thrown
          return written.then(() => Promise.reject(thrown))
        }),
      ),
    )

    assert.deepEqual(results, [
      { status: 'fulfilled', value: 'settled' },
      { status: 'rejected', reason: thrown },
      { status: 'fulfilled', value: 'settled' },
    ])
    assert.deepEqual((await notes.read()).toSorted(), ['note 0', 'note 2'])
    assert.deepEqual(await settle(engine, leases, { kind: 'succeeded' }), ['lost', 'settled', 'lost'])
  }),

  atomicClause('runs no atomic handler on a lost lease', async ({ open, advance }, notes) => {
    const engine = await subscribed(await open(), 'a')
    await engine.append([arrival('1')])
    const late = await claimOne(engine)
    await advance(leaseMs)
    const current = await claimOne(engine)
    assert.equal(await engine.atomic?.(late, (sql) => notes.write(sql, 'late')), 'lost')
    assert.equal(await engine.atomic?.(current, (sql) => notes.write(sql, 'current')), 'settled')
    assert.equal(await engine.atomic?.(current, (sql) => notes.write(sql, 'again')), 'lost')
    assert.deepEqual(await notes.read(), ['current'])
  }),

  // ── several engines on one store

  sharingClause('keeps everything for the engine that opens the store next', async ({ open }) => {
    const first = await subscribed(await open(), 'a')
    await first.append([arrival('1', { lane: 'u' }), arrival('2', { lane: 'u' })])
    await settle(first, [await claimOne(first)], { kind: 'succeeded' })
    await first[Symbol.asyncDispose]()
    const second = await open()
    assert.deepEqual(await second.append([arrival('1')]), ['duplicate'])
    assert.deepEqual(idsOf(await drain(second, 'a')), ['2'])
  }),

  sharingClause('fans out to handlers another engine subscribed', async ({ open }) => {
    const [one, other] = [await open(), await open()]
    await one.append([arrival('1')])
    await other.subscribe([subscription('a')])
    await one.append([arrival('2')])
    assert.deepEqual(idsOf(await drain(other, 'a')), ['2'])
  }),

  sharingClause('shares lanes and leases between engines', async ({ open, advance }) => {
    const [one, other] = [await subscribed(await open(), 'a'), await open()]
    await one.append(['1', '2'].map((id) => arrival(id, { lane: 'u' })))
    const held = await claimOne(one)
    assert.equal((await other.claim([{ handler: 'a', limit: 9 }], leaseMs)).leases.length, 0)
    await advance(leaseMs)
    const taken = await claimOne(other)
    assert.deepEqual(idsOf([taken]), ['1'])
    assert.deepEqual(await settle(one, [held], { kind: 'succeeded' }), ['lost'])
    assert.deepEqual(await settle(other, [taken], { kind: 'succeeded' }), ['settled'])
    assert.deepEqual(idsOf(await drain(one, 'a')), ['2'])
  }),

  sharingClause('wakes a watcher of another engine', async ({ open }) => {
    const [one, other] = [await subscribed(await open(), 'a'), await open()]
    const { call, called } = createSignal()
    using watching = other.watch(call)
    void watching
    await one.append([arrival('1')])
    await called
  }),
]
