import { expect, test } from 'vitest'
import { emulate } from '../../src/emulator/index.ts'
import { clientOf } from './client.ts'
import { Recorder } from './recorder.ts'

test('a receiver in the same process needs no socket', async () => {
  await using fusionauth = await emulate()
  const seen: string[] = []
  await fusionauth.connect(
    {
      async fetch(request) {
        const { event } = (await request.json()) as { event: { type: string; user: { id: string } } }
        seen.push(`${request.method} ${event.type} ${request.headers.get('authorization')}`)
        return new Response(null, { status: event.type === 'user.delete' ? 500 : 200 })
      },
    },
    { name: 'todo', headers: { Authorization: 'API-KEY' } },
  )
  fusionauth.level('user.delete', 'AbsoluteMajority')
  const { user, events } = await fusionauth.createUser({ email: 'ada@example.com' })
  expect(events.map(({ type }) => type)).toEqual(['user.create', 'user.create.complete'])

  const outcome = await fusionauth.deleteUser(user.id)

  expect(outcome).toMatchObject({
    committed: false,
    status: 504,
    events: [{ type: 'user.delete', attempts: [{ webhook: 'todo', status: 500 }] }],
  })
  expect(seen).toEqual([
    'POST user.create API-KEY',
    'POST user.create.complete API-KEY',
    'POST user.delete API-KEY',
  ])
})

test('a receiver that throws or never answers has failed', async () => {
  await using fusionauth = await emulate()
  await fusionauth.connect({ fetch: () => Promise.reject(new Error('no')) }, { types: ['user.create'] })
  expect((await fusionauth.createUser()).events[0]?.attempts[0]?.status).toBe('refused')
  await fusionauth.reset()
  await fusionauth.connect(
    { fetch: () => new Promise<Response>(() => undefined) },
    { types: ['user.create'] },
  )
  expect((await fusionauth.createUser()).events[0]?.attempts[0]?.status).toBe('timeout')
})

test('made-up events go the whole way: gates, levels, retries, log', async () => {
  await using recorder = await Recorder.listen()
  await using fusionauth = await emulate()
  await fusionauth.connect(recorder.url, { types: ['user.login.suspicious', 'kickstart.success'] })
  fusionauth.level('user.login.suspicious', 'Any')
  expect(
    await fusionauth.send('user.login.suspicious', {
      user: { id: 'u1' },
      threatsDetected: ['ImpossibleTravel'],
    }),
  ).toMatchObject({
    committed: true,
    status: 200,
    events: [{ type: 'user.login.suspicious', attempts: [{ status: 200 }] }],
  })
  expect(recorder.take()[0]?.event).toMatchObject({
    user: { id: 'u1' },
    threatsDetected: ['ImpossibleTravel'],
  })
  expect(await fusionauth.send('kickstart.success')).toMatchObject({
    events: [{ type: 'kickstart.success' }],
  })
  recorder.answer = () => 500
  expect(await fusionauth.send('user.login.suspicious')).toMatchObject({ committed: false, status: 504 })
  expect(await fusionauth.send('user.create')).toMatchObject({ committed: true, events: [] })
})

test('a reset forgets everything but the addresses and keys, and breaks off what is under way', async () => {
  await using fusionauth = await emulate()
  await fusionauth.connect(
    { fetch: () => new Promise<Response>(() => undefined) },
    { types: ['user.create'] },
  )
  const { url, apiKey, kid } = fusionauth
  const creating = fusionauth.createUser()
  const startedAt = performance.now()
  await fusionauth.reset()
  expect(fusionauth).toMatchObject({ url, apiKey, kid })
  expect((await clientOf(fusionauth).retrieveWebhooks()).response.webhooks).toEqual([])
  expect((await fusionauth.createUser()).events).toEqual([])
  await creating
  expect(performance.now() - startedAt).toBeLessThan(4000)
})

test('options that cannot hold are refused with the reason', async () => {
  await using fusionauth = await emulate()
  expect(() => fusionauth.level('user.create.complete', 'Any')).toThrow(/not transactional/)
  expect(() => fusionauth.fault('nobody', 'none')).toThrow(/nobody/)
  await expect(fusionauth.connect('not a url')).rejects.toThrow(/webhook.url/)
  const { port } = new URL(fusionauth.url)
  await expect(emulate({ port: Number(port) })).rejects.toMatchObject({ code: 'FW_OPTION' })
})

test('two emulators have different keys', async () => {
  await using a = await emulate()
  await using b = await emulate()
  expect(new Set([a.apiKey, b.apiKey]).size).toBe(2)
  expect(a.kid).not.toBe(b.kid)
})
