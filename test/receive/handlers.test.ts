import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { unlisted, type Webhook } from 'fusewire'
import { sample } from 'fusewire/testing'
import { describe, expect, test } from 'vitest'
import { bodyWith, door, good, userDelete } from '../support/door.ts'
import { rimNames } from '../support/rims.ts'
import { thenables } from '../support/thenables.ts'

const tenantId = 'aaaaaaaa-1111-4222-8333-444444444444'
const applicationId = 'bbbbbbbb-1111-4222-8333-444444444444'
const other = 'cccccccc-1111-4222-8333-444444444444'

type On = (webhook: Webhook<'none'>, ran: string[]) => unknown

const failures: readonly { name: string; handle: () => unknown }[] = [
  {
    name: 'throws',
    handle: () => {
      throw new Error('db is down')
    },
  },
  {
    name: 'throws undefined',
    handle: () => {
      throw undefined
    },
  },
  {
    name: 'rejects',
    handle: async () => {
      throw 'text'
    },
  },
  { name: 'never settles', handle: () => new Promise(() => {}) },
  ...thenables.flatMap(({ name, of }) => [
    { name: `gives ${name} that rejects`, handle: () => of(Promise.reject(new Error('down'))) },
    { name: `gives ${name} that never settles`, handle: () => of(new Promise(() => {})) },
  ]),
  {
    name: 'rejects after its time',
    handle: async () => {
      await pause(80)
      throw new Error('late')
    },
  },
]

/** How an event compares with a filter, and whether the handler runs. */
type Comparison = readonly [name: string, fields: object, runs: boolean]

const tenants: readonly Comparison[] = [
  ['the tenant', { tenantId }, true],
  ['the tenant in capitals', { tenantId: tenantId.toUpperCase() }, true],
  ['another tenant', { tenantId: other }, false],
  ['no tenant', {}, false],
  ['a tenant that is an object', { tenantId: { toLowerCase: tenantId } }, false],
]

const applications: readonly Comparison[] = [
  ['the application', { applicationId }, true],
  ['one of several applications', { applicationIds: [other, applicationId] }, true],
  ['another application', { applicationId: other }, false],
  ['no application', {}, false],
  ['applications that are not texts', { applicationIds: [7, null, { applicationId }] }, false],
]

const filters: readonly { name: string; on: On; event: object; ran: readonly string[] }[] = [
  ...tenants.map(([name, fields, runs]) => ({
    name: `tenantId: ${name}`,
    on: ((webhook, ran) =>
      webhook.on('group.delete.complete', { tenantId: tenantId.toUpperCase() }, () =>
        ran.push('x'),
      )) satisfies On,
    event: { type: 'group.delete.complete', group: { id: 'g' }, ...fields },
    ran: runs ? ['x'] : [],
  })),
  ...['Acme', 'acme'].map((sent) => ({
    name: `tenantId: Acme, which is no UUID, and an event of ${sent}`,
    on: ((webhook, ran) =>
      webhook.on('group.delete.complete', { tenantId: 'Acme' }, () => ran.push('x'))) satisfies On,
    event: { type: 'group.delete.complete', group: { id: 'g' }, tenantId: sent },
    ran: sent === 'Acme' ? ['x'] : [],
  })),
  ...applications.map(([name, fields, runs]) => ({
    name: `applicationId: ${name}`,
    on: ((webhook, ran) =>
      webhook.on(
        'user.login.success',
        { when: 'received', applicationId: [other.slice(1), applicationId] },
        () => ran.push('x'),
      )) satisfies On,
    event: { type: 'user.login.success', user: { id: 'ada' }, ...fields },
    ran: runs ? ['x'] : [],
  })),
  {
    name: 'where: true',
    on: (webhook, ran) =>
      webhook.on('user.delete.complete', { where: ({ user }) => user.id === 'ada' }, () => ran.push('x')),
    event: { type: 'user.delete.complete', user: { id: 'ada' } },
    ran: ['x'],
  },
  {
    name: 'where: false',
    on: (webhook, ran) => webhook.on('user.delete.complete', { where: () => false }, () => ran.push('x')),
    event: { type: 'user.delete.complete', user: { id: 'ada' } },
    ran: [],
  },
  {
    name: 'user.create is not user.create.complete',
    on: (webhook, ran) => webhook.on('user.create', { when: 'received' }, () => ran.push('x')),
    event: { type: 'user.create.complete', user: { id: 'ada' } },
    ran: [],
  },
  {
    name: 'several types under one handler',
    on: (webhook, ran) =>
      webhook.on(['user.delete.complete', 'user.create.complete'], { name: 'both' }, ({ event }) =>
        ran.push(event.type),
      ),
    event: { type: 'user.create.complete', user: { id: 'ada' } },
    ran: ['user.create.complete'],
  },
  {
    name: 'a type newer than we are',
    on: (webhook, ran) =>
      webhook.on(unlisted('user.passkey.create'), { when: 'received' }, ({ event }) =>
        ran.push(String(event['passkey'])),
      ),
    event: { type: 'user.passkey.create', passkey: 'p' },
    ran: ['p'],
  },
  {
    name: 'a type FusionAuth’s documentation misprints',
    on: (webhook, ran) => webhook.on('user.two-factor.failed-attempt', ({ event }) => ran.push(event.type)),
    event: { type: 'user.two-factor.failed.attempt', user: { id: 'ada' } },
    ran: ['user.two-factor.failed-attempt'],
  },
]

describe.each(rimNames)('%s', (rim) => {
  const send = async (on: On, ...bodies: string[]) => {
    await using at = await door(rim, { gateTimeoutMs: 60, register: on })
    const statuses = []
    for (const body of bodies) statuses.push((await at.send({ headers: good, body })).status)
    return { statuses, ran: at.ran, log: at.log.text() }
  }

  test.each(filters)('$name', async ({ on, event, ran }) => {
    expect(await send(on, bodyWith(event))).toMatchObject({ statuses: [200], ran })
  })

  test.each(failures)(
    'answers 500 when a handler $name, and runs it again for the resend',
    async ({ handle }) => {
      const on: On = (webhook, ran) =>
        webhook.on('user.delete', { when: 'received' }, () => {
          ran.push('x')
          return handle()
        })
      const body = userDelete()
      expect(await send(on, body, body)).toMatchObject({ statuses: [500, 500], ran: ['x', 'x'] })
      await pause(40) // for what rejects late
    },
  )

  test('runs every handler even when one fails, side by side, and answers 500', async () => {
    const { statuses, ran, log } = await send(
      (webhook, ran) =>
        webhook
          .on('user.delete', { name: 'a', when: 'received' }, async () => {
            ran.push('a')
            await pause(5)
            ran.push('a ends')
          })
          .on('user.delete', { name: 'b', when: 'received' }, () => {
            ran.push('b')
            throw new Error('b is down')
          })
          .on('*', { name: 'c', when: 'received' }, () => {
            ran.push('c')
          }),
      userDelete(),
    )
    expect({ statuses, ran }).toEqual({ statuses: [500], ran: ['a', 'b', 'c', 'a ends'] })
    expect(log).toContain('handler b threw: Error: b is down')
  })

  test('counts a where that throws as a failure', async () => {
    const { statuses, ran, log } = await send(
      (webhook, ran) =>
        webhook.on(
          'user.delete',
          {
            when: 'received',
            where: () => {
              throw new Error('odd')
            },
          },
          () => ran.push('x'),
        ),
      userDelete(),
    )
    expect({ statuses, ran }).toEqual({ statuses: [500], ran: [] })
    expect(log).toContain('odd')
  })

  test('runs no handler when a promised path is missing, and names the path', async () => {
    const { statuses, ran, log } = await send(
      (webhook, ran) => webhook.on('*', { name: 'all', when: 'received' }, () => ran.push('x')),
      bodyWith({ type: 'user.delete' }),
      bodyWith({ type: 'user.bulk.create', users: [{ id: 'a' }, {}] }),
    )
    expect({ statuses, ran }).toEqual({ statuses: [500, 500], ran: [] })
    expect(log).toContain('lacks user')
  })

  test('answers 200 to what nobody asked for, whatever its shape', async () => {
    const { statuses } = await send(
      () => {},
      bodyWith({ type: 'user.delete' }),
      bodyWith({ type: 'never.heard.of' }),
      bodyWith({ type: 'x'.repeat(10_240) }),
      JSON.stringify({ type: 'test', message: 'a Kafka test message' }),
    )
    expect(statuses).toEqual([200, 200, 200, 200])
  })

  test('gives the Kafka test message to the handler of everything', async () => {
    const { ran } = await send(
      (webhook, ran) =>
        webhook.on('*', { name: 'all', when: 'received' }, ({ event }) => ran.push(event.type)),
      JSON.stringify({ type: 'test', message: 'a Kafka test message' }),
    )
    expect(ran).toEqual(['test'])
  })

  test('says what it knows of the attempt', async () => {
    const contexts: object[] = []
    const event = sample('user.delete.complete', { id: randomUUID() })
    await send(
      (webhook) => webhook.on('user.delete.complete', (context) => contexts.push(context)),
      JSON.stringify({ event }),
    )
    expect(contexts).toEqual([
      {
        event,
        body: expect.any(Uint8Array),
        attempt: 1,
        isLastAttempt: true,
        idempotencyKey: expect.stringContaining(event.id),
        receivedAt: expect.any(Number),
        signal: expect.any(AbortSignal),
      },
    ])
  })

  test('hands over integers beyond 2^53 as decimal text, and every other value as JSON has it', async () => {
    const seen: unknown[] = []
    await using at = await door(rim, {
      register: (webhook) =>
        webhook.on('*', { name: 'all', when: 'received' }, ({ event }) => seen.push({ ...event })),
    })
    const fields =
      '"a":9223372036854775807,"b":-9007199254740993,"c":9007199254740991,"d":1e400,"e":-0,"f":"9223372036854775807","g":[12345678901234567890],"h":0.12345678901234567890,"\\"9223372036854775807":1'
    await at.send({ headers: good, body: `{"event":{"type":"x","id":"1",${fields}}}` })
    expect(seen[0]).toMatchObject({
      a: '9223372036854775807',
      b: '-9007199254740993',
      c: 9007199254740991,
      d: Infinity,
      e: -0,
      f: '9223372036854775807',
      g: ['12345678901234567890'],
      h: 0.12345678901234568,
      '"9223372036854775807': 1,
    })
  })
})
