import { afterEach, expect, test } from 'vitest'
import { emulate, type Kickstart } from '../../src/emulator/index.ts'
import { clientOf } from './client.ts'
import { Recorder } from './recorder.ts'

const key = 'a key that opens everything, at least here'

const kickstart = (url: string): Kickstart => ({
  variables: {
    defaultTenantId: '30663132-6464-6665-3032-326466613934',
    webhookId: '#{UUID()}',
    secret: '#{ENV.FUSIONAUTH_TEST_SECRET}',
  },
  apiKeys: [{ key, description: 'unrestricted' }],
  requests: [
    {
      method: 'POST',
      url: '/api/webhook/#{webhookId}',
      body: {
        webhook: {
          url,
          connectTimeout: 1000,
          readTimeout: 2000,
          headers: { Authorization: '#{secret}' },
          eventsEnabled: { 'user.create': true, 'kickstart.success': true },
        },
      },
    },
    {
      method: 'PATCH',
      url: '/api/tenant/#{FUSIONAUTH_TENANT_ID}',
      body: {
        webhookIds: ['#{webhookId}'],
        tenant: { eventConfiguration: { events: { 'user.create': { enabled: true } } } },
      },
    },
    { method: 'POST', url: '/api/user', body: { user: { email: 'ada@example.com' } } },
  ],
})

afterEach(() => {
  delete process.env['FUSIONAUTH_TEST_SECRET']
})

test('a kickstart file makes keys, runs requests in order, and runs again after a reset', async () => {
  process.env['FUSIONAUTH_TEST_SECRET'] = 'API-KEY'
  await using recorder = await Recorder.listen()
  await using fusionauth = await emulate({ kickstart: kickstart(recorder.url) })
  for (const _ of [1, 2]) {
    await fusionauth.idle()
    expect(recorder.posts.map(({ event }) => event.type)).toEqual(['user.create', 'kickstart.success'])
    expect(recorder.take()[0]).toMatchObject({
      headers: { authorization: 'API-KEY' },
      event: { tenantId: '30663132-6464-6665-3032-326466613934', user: { email: 'ada@example.com' } },
    })
    const client = clientOf({ ...fusionauth, apiKey: key })
    expect((await client.retrieveTenants()).response.tenants).toMatchObject([
      { id: '30663132-6464-6665-3032-326466613934' },
    ])
    await fusionauth.reset()
  }
})

test.each([
  ['a variable of the environment that is not its own', { variables: { home: '#{ENV.HOME}' } }, /HOME/],
  ['an unknown variable', { requests: [{ method: 'POST', url: '#{nowhere}' }] }, /nowhere/],
  ['a method it may not use', { requests: [{ method: 'DELETE', url: '/api/user' }] }, /request 1/],
  ['a request that fails', { requests: [{ method: 'POST', url: '/api/user', body: {} }] }, /request 1.*400/],
  ['a call that is not emulated', { requests: [{ method: 'POST', url: '/api/theme', body: {} }] }, /501/],
])('%s ends the start with the reason', async (_, file: Kickstart, reason) => {
  await expect(emulate({ kickstart: file })).rejects.toThrow(reason)
})

test('a variable of the environment is handed out by name', async () => {
  const file = { variables: { path: '#{ENV.PATH}' } }
  await using fusionauth = await emulate({ kickstart: file, env: ['PATH'] })
  expect(fusionauth.url).toContain('127.0.0.1')
})
