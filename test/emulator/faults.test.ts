import { afterEach, beforeEach, expect, test } from 'vitest'
import { emulate, type Emulator } from '../../src/emulator/index.ts'
import { catalogue, isEventType } from '../../src/events/catalogue.ts'
import { clientOf, unchosen } from './client.ts'
import { Recorder } from './recorder.ts'

/*
 * What can be made to go wrong on purpose, and test sends.
 */

let recorder: Recorder
let fusionauth: Emulator

beforeEach(async () => {
  recorder = await Recorder.listen()
  fusionauth = await emulate()
  await fusionauth.connect(recorder.url, { name: 'todo', types: ['user.create'] })
  fusionauth.level('user.create', 'Any')
})

afterEach(async () => {
  await fusionauth[Symbol.asyncDispose]()
  await recorder[Symbol.asyncDispose]()
})

test.each([
  ['drop', { kind: 'drop' }, 'refused', 0],
  ['a status of its own', { kind: 'status', status: 502 }, 502, 1],
  ['timeout', { kind: 'timeout' }, 'timeout', 1],
] as const)('%s fails the transaction, whatever the receiver did', async (_, fault, status, received) => {
  fusionauth.fault('todo', fault)
  const outcome = await fusionauth.createUser()
  expect(outcome).toMatchObject({ committed: false, events: [{ attempts: [{ webhook: 'todo', status }] }] })
  expect(recorder.posts).toHaveLength(received)
  fusionauth.fault('todo', 'none')
  expect(await fusionauth.createUser()).toMatchObject({ committed: true })
})

test('duplicate delivers the same event twice', async () => {
  fusionauth.fault('todo', { kind: 'duplicate', times: 1 })
  expect(await fusionauth.createUser()).toMatchObject({ committed: true })
  await fusionauth.createUser()
  const ids = recorder.posts.map(({ event }) => event.id)
  expect(ids).toHaveLength(3)
  expect(new Set(ids).size).toBe(2)
})

test('delay makes the caller wait', async () => {
  fusionauth.fault('todo', { kind: 'delay', ms: 200 })
  const startedAt = performance.now()
  expect(await fusionauth.createUser()).toMatchObject({ committed: true })
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195)
})

test('a fault may last for a number of posts, so that a retry gets through', async () => {
  await fusionauth.connect(`${recorder.url}/second`, { types: ['user.create'] })
  fusionauth.fault('todo', { kind: 'drop', times: 2 })
  const { events } = await fusionauth.createUser()
  const statuses = events[0]?.attempts.filter(({ webhook }) => webhook === 'todo').map(({ status }) => status)
  expect(statuses).toEqual(['refused', 'refused', 200])
})

test('faults and test sends have addresses of their own', async () => {
  const { response } = await clientOf(fusionauth).searchWebhooks({ search: { description: 'todo' } })
  const id = response.webhooks?.[0]?.id ?? ''
  const call = (method: string, path: string, body?: object) =>
    fetch(`${fusionauth.url}${path}`, {
      method,
      headers: { authorization: fusionauth.apiKey, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  expect((await call('PUT', `/emulator/fault/${id}`, { fault: { kind: 'status', times: 1 } })).status).toBe(
    200,
  )
  expect((await call('PUT', `/emulator/fault/${id}`, { fault: { kind: 'earthquake' } })).status).toBe(400)
  expect(await fusionauth.createUser()).toMatchObject({
    committed: false,
    events: [{ attempts: [{ status: 503 }] }],
  })
  recorder.take()
  const sent = await call('POST', `/emulator/test/${id}`, {
    event: { type: 'user.delete', id: 'mine', user: { id: 'u1' } },
  })
  expect(await sent.json()).toMatchObject({ webhookCallResponse: { statusCode: 200, url: recorder.url } })
  expect(recorder.take()).toMatchObject([{ event: { type: 'user.delete', id: 'mine', user: { id: 'u1' } } }])
  expect((await call('POST', `/emulator/test/${id}`, { type: 'user.crate' })).status).toBe(400)
  expect((await call('POST', '/emulator/reset')).status).toBe(200)
  expect((await clientOf(fusionauth).retrieveWebhooks()).response.webhooks).toEqual([])
})

test('every type can be sent to one receiver, gates or not, and is not logged', async () => {
  await fusionauth.reset()
  await fusionauth.connect(recorder.url, { name: 'todo', types: [], headers: { Authorization: 'API-KEY' } })
  const types = Object.keys(catalogue).filter(isEventType)
  for (const type of types) {
    expect(await fusionauth.test('todo', type)).toMatchObject({ webhook: 'todo', status: 200 })
  }
  expect(recorder.types).toEqual(types)
  expect(types).toHaveLength(64)
  expect(recorder.posts.every(({ headers }) => headers.authorization === 'API-KEY')).toBe(true)
  expect((await clientOf(fusionauth).searchWebhookEventLogs({})).response.total).toBe(0)
})

test('quirk #2233: at an identity provider login, complete comes before a commit that does not', async () => {
  for (const earlyComplete of [false, true]) {
    await using quirky = await emulate({ earlyComplete })
    await quirky.connect(recorder.url)
    quirky.level('user.login.success', 'AbsoluteMajority')
    recorder.answer = ({ event }) => (event.type === 'user.login.success' ? 500 : 200)
    const client = clientOf(quirky)
    const provider = await client.createIdentityProvider(unchosen, {
      identityProvider: { type: 'Google' as never },
    })
    const identityProviderId = provider.response.identityProvider?.id ?? ''
    const data = { token: 'g', email: 'ada@example.com' }
    const refused: unknown = await client
      .identityProviderLogin({ identityProviderId, data })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ statusCode: 504 })
    await quirky.idle()
    const types = recorder.take().map(({ event }) => event.type)
    expect(types.includes('user.create.complete')).toBe(earlyComplete)
    expect((await client.searchUsersByQuery({ search: { queryString: '*' } })).response.total).toBe(0)
  }
})
