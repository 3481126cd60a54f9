import { afterEach, beforeEach, expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { clientOf } from './client.ts'
import { Recorder } from './recorder.ts'

let recorder: Recorder
let fusionauth: Emulator
let ahead = 0

beforeEach(async () => {
  ahead = 0
  recorder = await Recorder.listen()
  fusionauth = await emulate({ clock: { ...systemClock, now: () => systemClock.now() + ahead } })
  await fusionauth.connect(recorder.url, { name: 'todo' })
})

afterEach(async () => {
  await fusionauth[Symbol.asyncDispose]()
  await recorder[Symbol.asyncDispose]()
})

const search = async (criteria = {}) =>
  (await clientOf(fusionauth).searchWebhookEventLogs({ search: { orderBy: 'sequence ASC', ...criteria } }))
    .response

test('an entry tells the event, its result and every attempt', async () => {
  fusionauth.level('user.delete', 'Any')
  await fusionauth.connect(`${recorder.url}/down`, { types: ['user.delete'] })
  recorder.answer = ({ path }) => (path === '/down' ? 503 : 200)
  const { user } = await fusionauth.createUser()
  await fusionauth.deleteUser(user.id)
  recorder.answer = () => 500
  const second = await fusionauth.createUser()
  await fusionauth.deleteUser(second.user.id)

  const { webhookEventLogs: entries = [], total } = await search()
  expect(total).toBe(7)
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(entries.map(({ eventType, eventResult }) => `${eventType} ${eventResult}`)).toEqual([
    'user.create Succeeded',
    'user.create.complete Succeeded',
    'user.delete Succeeded',
    'user.delete.complete Succeeded',
    'user.create Succeeded',
    'user.create.complete Succeeded',
    'user.delete Failed',
  ])
  expect(entries[2]).toMatchObject({
    linkedObjectId: user.id,
    successfulAttempts: 1,
    failedAttempts: 4,
    event: { event: { type: 'user.delete', user: { id: user.id } } },
  })
  // Succeeded does not mean delivered.
  expect(entries[5]).toMatchObject({ eventResult: 'Succeeded', successfulAttempts: 0, failedAttempts: 1 })
  expect(entries[6]).toMatchObject({ failedAttempts: 2 })

  const attempt = entries[2]?.attempts?.[0]
  const client = clientOf(fusionauth)
  expect(attempt).not.toHaveProperty('webhookEventLogId')
  expect((await client.retrieveWebhookAttemptLog(attempt?.id ?? '')).response.webhookAttemptLog).toEqual({
    ...attempt,
    webhookEventLogId: entries[2]?.id,
  })
  expect((await client.retrieveWebhookEventLog(entries[2]?.id ?? '')).response.webhookEventLog).toEqual(
    entries[2],
  )
})

test('entries are searched by type, result, text and time', async () => {
  await fusionauth.createUser({ email: 'ada@example.com' })
  await fusionauth.createUser({ email: 'bob@example.com' })
  expect((await search({ eventType: 'user.create' })).total).toBe(2)
  expect((await search({ event: 'ADA@*' })).total).toBe(0)
  expect((await search({ event: 'ADA@' })).total).toBe(2)
  expect((await search({ eventResult: 'Failed' })).total).toBe(0)
  expect((await search({ numberOfResults: 1, startRow: 3 })).webhookEventLogs?.[0]?.sequence).toBe(4)
  ahead = 2 * 3_600_000
  expect((await search()).total).toBe(0)
  expect((await search({ start: 0 })).total).toBe(4)
})

test('entries are kept for as long as the configuration says', async () => {
  await fusionauth.createUser()
  ahead = 29 * 86_400_000
  await fusionauth.createUser()
  expect((await search({ start: 0 })).total).toBe(4)
  ahead = 31 * 86_400_000
  await fusionauth.createUser()
  expect((await search({ start: 0 })).total).toBe(4)
})

test('an event nobody receives is not logged', async () => {
  await fusionauth.reset()
  await fusionauth.createUser()
  expect((await search({ start: 0 })).total).toBe(0)
})
